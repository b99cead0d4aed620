#include "core/linear_algebra/decompositions.hpp"

#define PARSIMONY_DEFINE(...) template __VA_ARGS__;
PARSIMONY_DECOMPOSITIONS(PARSIMONY_DEFINE)
