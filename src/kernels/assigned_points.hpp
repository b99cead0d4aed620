// Distances and sums of points whose centroid is known, for k-means. Pointers and shifts are as in
// nearest_centroid.hpp.
#pragma once

#include <cstdint>

#include "kernels/nearest_centroid.hpp"

namespace parsimony::kernels {

/// distance[t] = ‖x_t − c(labels[t])‖² and norm[t] = ‖x_t‖², which is left out where norm is null.
void assigned_distances(const PointRows& points, std::int64_t count, const float* centroids,
                        const std::int32_t* labels, float* distance, float* norm);

/// sums[labels[t] · d + j] += weights[t] · (point t, column j), in float64 and in the order of t. weights may
/// be null.
void accumulate(const PointRows& points, std::int64_t count, const std::int32_t* labels, const float* weights,
                double* sums);

/// Σ weights[i] · values[i] in float64; count is a multiple of kTile.
double weighted_sum(const float* weights, const float* values, std::int64_t count);

/// The same in plain C++, as a reference for tests.
namespace scalar {
void assigned_distances(const PointRows& points, std::int64_t count, const float* centroids,
                        const std::int32_t* labels, float* distance, float* norm);
void accumulate(const PointRows& points, std::int64_t count, const std::int32_t* labels, const float* weights,
                double* sums);
double weighted_sum(const float* weights, const float* values, std::int64_t count);
}  // namespace scalar

}  // namespace parsimony::kernels
