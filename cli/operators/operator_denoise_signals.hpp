// operator denoise for arrays that are not images.
#pragma once

#include "operators/images.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/images/denoise.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

/// Denoises the rows of IN, signals without neighbours. Returns the exit status.
int denoise_signals(const ImageFiles& files, const images::DenoiseOptions& options, Terminal& terminal,
                    const Context& context);

/// Denoises one signal of any length by all of its windows.
int denoise_line(const ImageFiles& files, const images::DenoiseOptions& options, const Matrix<float>& noisy,
                 const Terminal& terminal, const Context& context);

}  // namespace parsimony::cli
