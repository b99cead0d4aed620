// A graph of ONNX that is built node by node, and the bytes of its file.
//
// The file is one message of Protocol Buffers. Only its wire format is needed, numbers and lengths of seven
// bits a byte, and only for writing; so it is written here, and no package with a schema, a generator and a
// library of its own is linked. The numbers of the fields are those of onnx.proto, which never change.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace parsimony::run {

/// A message of Protocol Buffers.
class ProtobufMessage {
 public:
  void number(int field, std::int64_t value);
  void real(int field, float value);
  void bytes(int field, std::string_view value);
  void message(int field, const ProtobufMessage& value) { bytes(field, value.text_); }

  const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value);

  std::string text_;
};

enum class OnnxType { float32 = 1, int8 = 3, int64 = 7 };

using OnnxAttribute =
    std::pair<std::string, std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>>;

/// A size, or the name of a free one.
using OnnxDimension = std::variant<std::int64_t, std::string>;

class OnnxGraph {
 public:
  /// Adds a node with one output, and returns its name.
  std::string node(const std::string& type, const std::vector<std::string>& inputs,
                   const std::vector<OnnxAttribute>& attributes = {});
  /// A node with several outputs.
  std::vector<std::string> node_of(const std::string& type, const std::vector<std::string>& inputs,
                                   int outputs, const std::vector<OnnxAttribute>& attributes = {});
  /// Gives the last value its name in the interface of the graph.
  void rename(const std::string& value, const std::string& name);

  /// Constants; an empty name is replaced by one that is free. They return the name.
  std::string constant(std::string name, const std::vector<std::int64_t>& shape,
                       std::span<const float> values);
  std::string constant(std::string name, const std::vector<std::int64_t>& shape,
                       std::span<const std::int8_t> values);
  std::string constant(std::string name, const std::vector<std::int64_t>& shape,
                       std::span<const std::int64_t> values);
  std::string scalar(float value) { return constant("", {}, std::span<const float>(&value, 1)); }
  std::string list(const std::vector<std::int64_t>& values);

  void input(const std::string& name, OnnxType type, const std::vector<OnnxDimension>& shape);
  void output(const std::string& name, OnnxType type, const std::vector<OnnxDimension>& shape);

  std::int64_t nodes() const { return nodes_; }
  /// The model file in parts, so that the graph is not copied.
  struct File {
    std::string before;
    const std::string* graph;
  };
  File file(std::string_view producer, std::string_view version) const;

 private:
  std::string free_name(const std::string& type) { return type + "_" + std::to_string(++names_); }
  void tensor(const std::string& name, OnnxType type, const std::vector<std::int64_t>& shape,
              std::string_view bytes);
  void interface(int field, const std::string& name, OnnxType type, const std::vector<OnnxDimension>& shape);

  ProtobufMessage graph_;
  std::int64_t nodes_ = 0, names_ = 0;
};

}  // namespace parsimony::run
