#include "core/files/safetensors_index.hpp"

#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const SafetensorsIndex index = parse_safetensors_index(fuzz::as_string(data, size), "input");
    for (const auto& [tensor, shard] : index.tensors)
      fuzz::check(shard < index.shards.size(), "a shard for each");
    for (const std::string& shard : index.shards) {
      fuzz::check(shard.find('/') == std::string::npos && shard != "..", "a shard lies beside the index");
    }
    const SafetensorsIndex again = parse_safetensors_index(safetensors_index_text(index, 0), "written");
    fuzz::check(again.tensors == index.tensors && again.shards == index.shards, "is read as it was written");
  });
  return 0;
}
