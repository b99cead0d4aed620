// COIN-OR CLP in a module of its own, which a program loads when it solves its first linear program.
//
// CLP needs LAPACK, and on most systems that is OpenBLAS, which starts a thread for each core as soon as it
// is loaded and waits without end where the address space is limited. Programs that solve no linear program
// do not load it.
#pragma once

#include <stop_token>

#include "operators/solvers/linear_program.hpp"

namespace parsimony::operators {

// The module links no library of Parsimony: it uses what its headers define.
extern "C" void parsimony_solve_by_clp(const LinearProgram& program, const std::stop_token& stop,
                                       LinearSolution& out);

inline constexpr const char* kClpFunction = "parsimony_solve_by_clp";

}  // namespace parsimony::operators
