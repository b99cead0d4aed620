#include "run/onnx/onnx_graph.hpp"

#include <array>
#include <bit>
#include <type_traits>

namespace parsimony::run {
namespace {

constexpr int kVarint = 0, kLengthDelimited = 2, kFixed32 = 5;  // kinds of fields on the wire
constexpr std::int64_t kIrVersion = 8, kOpset = 17;

// Tensors are little-endian.
static_assert(std::endian::native == std::endian::little);

template <class T>
std::string_view raw_bytes(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

ProtobufMessage attribute_message(const OnnxAttribute& attribute) {
  ProtobufMessage out;
  out.bytes(1, attribute.first);
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::int64_t>) {
          out.number(3, value);
          out.number(20, 2);
        } else if constexpr (std::is_same_v<T, float>) {
          out.real(2, value);
          out.number(20, 1);
        } else if constexpr (std::is_same_v<T, std::string>) {
          out.bytes(4, value);
          out.number(20, 3);
        } else {
          for (const std::int64_t one : value) out.number(8, one);
          out.number(20, 7);
        }
      },
      attribute.second);
  return out;
}

}  // namespace

void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(0x80 | (value & 0x7F));
  text_ += static_cast<char>(value);
}

void ProtobufMessage::number(int field, std::int64_t value) {
  varint(static_cast<std::uint64_t>(field) << 3 | kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void ProtobufMessage::real(int field, float value) {
  varint(static_cast<std::uint64_t>(field) << 3 | kFixed32);
  const auto bytes = std::bit_cast<std::array<char, 4>>(value);
  text_.append(bytes.data(), bytes.size());
}

void ProtobufMessage::bytes(int field, std::string_view value) {
  varint(static_cast<std::uint64_t>(field) << 3 | kLengthDelimited);
  varint(value.size());
  text_ += value;
}

std::vector<std::string> OnnxGraph::node_of(const std::string& type, const std::vector<std::string>& inputs,
                                            int outputs, const std::vector<OnnxAttribute>& attributes) {
  ProtobufMessage node;
  std::vector<std::string> names;
  for (const std::string& input : inputs) node.bytes(1, input);
  for (int i = 0; i < outputs; ++i) {
    names.push_back(free_name(type));
    node.bytes(2, names.back());
  }
  node.bytes(3, names.front() + "_node");
  node.bytes(4, type);
  for (const OnnxAttribute& attribute : attributes) node.message(5, attribute_message(attribute));
  graph_.message(1, node);
  ++nodes_;
  return names;
}

std::string OnnxGraph::node(const std::string& type, const std::vector<std::string>& inputs,
                            const std::vector<OnnxAttribute>& attributes) {
  return node_of(type, inputs, 1, attributes).front();
}

void OnnxGraph::rename(const std::string& value, const std::string& name) {
  ProtobufMessage node;
  node.bytes(1, value);
  node.bytes(2, name);
  node.bytes(4, "Identity");
  graph_.message(1, node);
  ++nodes_;
}

void OnnxGraph::tensor(const std::string& name, OnnxType type, const std::vector<std::int64_t>& shape,
                       std::string_view bytes) {
  ProtobufMessage tensor;
  for (const std::int64_t size : shape) tensor.number(1, size);
  tensor.number(2, static_cast<std::int64_t>(type));
  tensor.bytes(8, name);
  tensor.bytes(9, bytes);
  graph_.message(5, tensor);
}

std::string OnnxGraph::constant(std::string name, const std::vector<std::int64_t>& shape,
                                std::span<const float> values) {
  if (name.empty()) name = free_name("constant");
  tensor(name, OnnxType::float32, shape, raw_bytes(values));
  return name;
}

std::string OnnxGraph::constant(std::string name, const std::vector<std::int64_t>& shape,
                                std::span<const std::int8_t> values) {
  if (name.empty()) name = free_name("constant");
  tensor(name, OnnxType::int8, shape, raw_bytes(values));
  return name;
}

std::string OnnxGraph::constant(std::string name, const std::vector<std::int64_t>& shape,
                                std::span<const std::int64_t> values) {
  if (name.empty()) name = free_name("constant");
  tensor(name, OnnxType::int64, shape, raw_bytes(values));
  return name;
}

std::string OnnxGraph::list(const std::vector<std::int64_t>& values) {
  return constant("", {static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}

void OnnxGraph::interface(int field, const std::string& name, OnnxType type,
                          const std::vector<OnnxDimension>& shape) {
  ProtobufMessage sizes, tensor, kind, value;
  for (const OnnxDimension& size : shape) {
    ProtobufMessage dimension;
    if (const auto* fixed = std::get_if<std::int64_t>(&size)) {
      dimension.number(1, *fixed);
    } else {
      dimension.bytes(2, std::get<std::string>(size));
    }
    sizes.message(1, dimension);
  }
  tensor.number(1, static_cast<std::int64_t>(type));
  tensor.message(2, sizes);
  kind.message(1, tensor);
  value.bytes(1, name);
  value.message(2, kind);
  graph_.message(field, value);
}

void OnnxGraph::input(const std::string& name, OnnxType type, const std::vector<OnnxDimension>& shape) {
  interface(11, name, type, shape);
}

void OnnxGraph::output(const std::string& name, OnnxType type, const std::vector<OnnxDimension>& shape) {
  interface(12, name, type, shape);
}

OnnxGraph::File OnnxGraph::file(std::string_view producer, std::string_view version) const {
  ProtobufMessage model, opset, graph_header;
  model.number(1, kIrVersion);
  model.bytes(2, producer);
  model.bytes(3, version);
  opset.bytes(1, "");
  opset.number(2, kOpset);
  model.message(8, opset);
  // The graph is the last field, and its name is the first field in it.
  ProtobufMessage name;
  name.bytes(2, "network");
  std::string before = model.text();
  std::uint64_t length = name.text().size() + graph_.text().size();
  before += static_cast<char>(7 << 3 | kLengthDelimited);
  for (; length >= 0x80; length >>= 7) before += static_cast<char>(0x80 | (length & 0x7F));
  before += static_cast<char>(length);
  before += name.text();
  return {std::move(before), &graph_.text()};
}

}  // namespace parsimony::run
