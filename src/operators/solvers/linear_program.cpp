#include "operators/solvers/linear_program.hpp"

#include <limits>

#include "parsimony/core/error.hpp"

#ifdef PARSIMONY_CLP_MODULE
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <span>

#include "operators/solvers/child_process.hpp"
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

// CLP frees its arrays twice where memory runs out while it makes them, which would end this process.
[[maybe_unused]] LinearSolution solve_in_child(Solver& solver, const LinearProgram& program,
                                               const Context& context) {
  struct Head {
    bool optimal;
    double objective;
    std::int64_t iterations;
  };
  const auto columns = static_cast<std::size_t>(program.columns()), rows = program.right.size();
  const SharedMemory memory(sizeof(Head) + (columns + rows) * sizeof(double));
  auto* const head = ::new (memory.data()) Head{};
  const std::span values(reinterpret_cast<double*>(head + 1), columns + rows);
  const auto solve_program = [&] {
    LinearSolution solution;
    solver(program, context.stop, solution);
    *head = {solution.optimal, solution.objective, solution.iterations};
    std::ranges::copy(solution.primal, values.begin());
    std::ranges::copy(solution.dual, values.begin() + static_cast<std::ptrdiff_t>(columns));
  };
  switch (run_in_child(solve_program, context)) {
    case ChildEnd::done:
      break;
    case ChildEnd::out_of_memory:
      throw std::bad_alloc();
    case ChildEnd::failed:
      throw Error(ErrorCode::unsupported,
                  "the exact test stopped: COIN-OR CLP ended before it had solved the linear program; most "
                  "often memory ran out");
  }
  const auto primal = values.first(columns), dual = values.subspan(columns);
  return {.optimal = head->optimal,
          .objective = head->objective,
          .iterations = head->iterations,
          .primal = {primal.begin(), primal.end()},
          .dual = {dual.begin(), dual.end()}};
}

}  // namespace

bool solves_linear_programs() {
  return true;
}

LinearSolution solve(const LinearProgram& program, const Context& context) {
  context.check_cancelled();
  check_address_space();
  static Solver* const solver = load_solver();
#ifdef PARSIMONY_SANITIZED  // a child process may start no threads under the thread sanitizer
  LinearSolution out;
  solver(program, context.stop, out);
  context.check_cancelled();
  return out;
#else
  return solve_in_child(*solver, program, context);
#endif
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
