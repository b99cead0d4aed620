// MPI types of whole rows, made once for each width.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <map>

namespace parsimony::distributed {

class RowTypes {
 public:
  RowTypes() = default;
  RowTypes(const RowTypes&) = delete;
  RowTypes& operator=(const RowTypes&) = delete;
  ~RowTypes() {
    for (auto& [width, type] : types_) MPI_Type_free(&type);
  }

  MPI_Datatype of(std::int64_t width) {
    const auto [at, fresh] = types_.try_emplace(width);
    if (fresh) {
      MPI_Type_contiguous(static_cast<int>(width), MPI_FLOAT, &at->second);
      MPI_Type_commit(&at->second);
    }
    return at->second;
  }

 private:
  std::map<std::int64_t, MPI_Datatype> types_;
};

}  // namespace parsimony::distributed
