// What operator learn prints.
#pragma once

#include <string>

#include "operators/training_data.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/operators/frames.hpp"

namespace parsimony::cli {

struct Learned {
  std::string method;
  Matrix<double> omega;
  double objective = 0;
  Report report;
};

struct FrameFigures {
  operators::FrameBounds bounds;
  double coherence = 0;
};

/// Of zero-mean atoms the bounds are those on what they can see.
FrameFigures frame_figures(const Matrix<double>& omega, bool zero_mean);

std::string frame_text(const FrameFigures& figures);
std::string learned_text(const Learned& learned, const FrameFigures& figures, const Matrix<float>& signals);
std::string learned_json(const Learned& learned, const FrameFigures& figures, const Matrix<float>& signals,
                         const TrainingData& data, const std::string& output);

}  // namespace parsimony::cli
