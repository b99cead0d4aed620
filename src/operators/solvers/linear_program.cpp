#include "operators/solvers/linear_program.hpp"

#include <limits>

#include "parsimony/core/error.hpp"

#ifdef PARSIMONY_CLP_MODULE
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include "operators/solvers/clp/clp_solver.hpp"
#endif

namespace parsimony::operators {

void LinearProgram::column(double cost, double lower, double upper) {
  starts.push_back(starts.back());
  costs.push_back(cost);
  lowers.push_back(lower);
  uppers.push_back(upper);
}

void LinearProgram::add(std::int64_t row, double value) {
  if (value == 0) return;
  if (indices.size() >= static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    refuse("exact test: the linear program has more than 2^31 values");
  }
  indices.push_back(static_cast<int>(row));
  values.push_back(value);
  ++starts.back();
}

#ifdef PARSIMONY_CLP_MODULE
namespace {

// OpenBLAS asks for pieces of 32 to 128 MiB of addresses, again and again where it gets none.
void check_address_space() {
  constexpr std::size_t kNeeded = std::size_t{192} << 20;
  void* const room = ::mmap(nullptr, kNeeded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) {
    throw Error(ErrorCode::unsupported,
                "the exact test needs 192 MiB of address space for COIN-OR CLP, which the limit of the "
                "process (ulimit -v) does not leave");
  }
  ::munmap(room, kNeeded);
}

using Solver = decltype(parsimony_solve_by_clp);

Solver* load_solver() {
  void* const module = ::dlopen(PARSIMONY_CLP_MODULE, RTLD_NOW | RTLD_LOCAL);
  void* const function = module == nullptr ? nullptr : ::dlsym(module, kClpFunction);
  if (function == nullptr) {
    throw Error(ErrorCode::unsupported,
                fmt::format("the exact test cannot load COIN-OR CLP: {}; it needs {} beside the libraries of "
                            "Parsimony or in LD_LIBRARY_PATH, and CLP (Debian and Ubuntu: coinor-libclp1)",
                            ::dlerror(), PARSIMONY_CLP_MODULE));
  }
  return reinterpret_cast<Solver*>(function);
}

}  // namespace

bool solves_linear_programs() {
  return true;
}

LinearSolution solve(const LinearProgram& program, const Context& context) {
  context.check_cancelled();
  check_address_space();
  static Solver* const solver = load_solver();
  LinearSolution out;
  solver(program, context.stop, out);
  context.check_cancelled();
  return out;
}
#else
bool solves_linear_programs() {
  return false;
}

LinearSolution solve(const LinearProgram&, const Context&) {
  throw Error(ErrorCode::unsupported,
              "the exact test needs a linear program, and this build has no solver; build it where COIN-OR "
              "CLP is found "
              "(Debian and Ubuntu: coinor-libclp-dev)");
}
#endif

}  // namespace parsimony::operators
