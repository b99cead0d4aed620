#include "parsimony/run/text_network.hpp"

#include <fmt/format.h>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "run/model_path.hpp"

namespace parsimony::run {

TextNetwork load_text_network(const std::filesystem::path& model, const LoadOptions& options,
                              const Context& context) {
  Network network = load(model, options, context);
  const std::filesystem::path folder = folder_of(model, options.folder);
  data::SentenceTokenizer tokenizer = data::load_tokenizer(folder);
  if (tokenizer.vocabulary() > network.config().vocabulary) {
    throw Error(
        ErrorCode::format,
        fmt::format("{}: the tokenizer has {}, and the network only {}; must belong together",
                    folder.string(), count_of(tokenizer.vocabulary(), "token"), network.config().vocabulary));
  }
  return {std::move(network), std::move(tokenizer)};
}

}  // namespace parsimony::run
