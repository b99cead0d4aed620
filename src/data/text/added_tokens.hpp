// Finds the names of added tokens in a text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/tokenizer_state.hpp"

namespace parsimony::data {

struct AddedToken {
  std::int32_t token = 0;
  bool takes_left = false;   ///< white space before it
  bool takes_right = false;  ///< white space after it
};

class AddedTokens {
 public:
  /// The name must not be empty. A name that is there keeps its first token.
  void add(std::string name, AddedToken token);

  /// Calls back for each token and each part between tokens that is not empty, in their order. At each place
  /// the longest name counts. Time: O(number of different lengths of names) for a byte that begins one.
  void split(std::string_view text, const std::function<void(std::int32_t)>& token,
             const std::function<void(std::string_view)>& rest) const;

 private:
  std::vector<std::size_t> lengths_;  // descending
  bool begins_[256] = {};             // bytes that begin a name
  ByText<AddedToken> names_;
};

}  // namespace parsimony::data
