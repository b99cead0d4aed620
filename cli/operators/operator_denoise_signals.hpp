// operator denoise of arrays that are no images.
#pragma once

#include <string>

#include "operators/images.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "support/terminal.hpp"

namespace parsimony::cli {

struct SignalDenoising {
  std::string op;  ///< file of the operator
  double sigma = 0;
  double weight = 0;       ///< 0: automatic
  double nu = 48;          ///< of lines
  int max_iterations = 0;  ///< of lines; 0: automatic
};

/// The rows of IN, signals without neighbours: their analysis sparse coding. Returns the exit status.
int denoise_signals(const ImageFiles& files, const SignalDenoising& settings, Terminal& terminal,
                    const Context& context);

/// One signal of any length, by all of its windows.
int denoise_line(const ImageFiles& files, const SignalDenoising& settings, const Matrix<float>& noisy,
                 const Context& context);

}  // namespace parsimony::cli
