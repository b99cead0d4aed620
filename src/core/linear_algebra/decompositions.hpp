// Eigen's decompositions of dense matrices of doubles, compiled once. Each of them costs every file that
// instantiates it up to ten seconds of the compiler. Include this header instead of <Eigen/Eigenvalues>,
// <Eigen/QR> or <Eigen/Cholesky>, and give a decomposition a matrix (Eigen::MatrixXd or RowMajorMatrix): one
// of an expression is instantiated anew.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

namespace parsimony {

using RowMajorMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace parsimony

// INSTANTIATE(declaration) for each function that holds the work of a decomposition or of a product.
#define PARSIMONY_DECOMPOSITIONS(INSTANTIATE)                                                             \
  INSTANTIATE(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>&                                             \
                  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>::compute(                                \
                      const Eigen::EigenBase<Eigen::MatrixXd>&, int))                                     \
  INSTANTIATE(Eigen::SelfAdjointEigenSolver<parsimony::RowMajorMatrix>&                                   \
                  Eigen::SelfAdjointEigenSolver<parsimony::RowMajorMatrix>::compute(                      \
                      const Eigen::EigenBase<parsimony::RowMajorMatrix>&, int))                           \
  INSTANTIATE(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>&                                             \
                  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>::compute(                                \
                      const Eigen::EigenBase<parsimony::RowMajorMatrix>&, int))                           \
  INSTANTIATE(void Eigen::internal::gebp_kernel<                                                          \
              double, double, Eigen::Index,                                                               \
              Eigen::internal::blas_data_mapper<double, Eigen::Index, 0, 0, 1>, 4, 4, false,              \
              false>::operator()(const Eigen::internal::blas_data_mapper<double, Eigen::Index, 0, 0, 1>&, \
                                 const double*, const double*, Eigen::Index, Eigen::Index, Eigen::Index,  \
                                 double, Eigen::Index, Eigen::Index, Eigen::Index, Eigen::Index))         \
  INSTANTIATE(void Eigen::ColPivHouseholderQR<Eigen::MatrixXd>::computeInPlace())                         \
  INSTANTIATE(void Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd>::computeInPlace())             \
  INSTANTIATE(Eigen::LLT<Eigen::MatrixXd>& Eigen::LLT<Eigen::MatrixXd>::compute(                          \
      const Eigen::EigenBase<Eigen::MatrixXd>&))                                                          \
  INSTANTIATE(Eigen::LLT<parsimony::RowMajorMatrix>& Eigen::LLT<parsimony::RowMajorMatrix>::compute(      \
      const Eigen::EigenBase<parsimony::RowMajorMatrix>&))

#define PARSIMONY_EXTERN(...) extern template __VA_ARGS__;
PARSIMONY_DECOMPOSITIONS(PARSIMONY_EXTERN)
#undef PARSIMONY_EXTERN
