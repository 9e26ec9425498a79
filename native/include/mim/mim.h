/* The whole contract of libmim in one include. */
#ifndef MIM_MIM_H
#define MIM_MIM_H

#include "mim/attention.h"
#include "mim/base.h"
#include "mim/ceiling.h"
#include "mim/context.h"
#include "mim/convolution.h"
#include "mim/event.h"
#include "mim/image.h"
#include "mim/layers.h"
#include "mim/losses.h"
#include "mim/low_pass.h"
#include "mim/optimizer.h"
#include "mim/relative_position.h"
#include "mim/targets.h"
#include "mim/tensor.h"
#include "mim/tokens.h"

#endif
