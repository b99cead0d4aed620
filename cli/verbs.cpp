// The verbs of parsimony.
#include "verbs.hpp"

#include <array>

namespace parsimony::cli {
namespace {

constexpr std::array kVerbs{
    Verb{"cluster", "find the clusters of a graph or of points", add_cluster},
    Verb{"assign", "assign new points to the clusters of a saved model", add_assign},
    Verb{"knn-graph", "build the nearest-neighbour graph of points", add_knn_graph},
    Verb{"score", "score a partition by its graph or against known labels", add_score},
    Verb{"generate", "generate random graphs with planted clusters", add_generate},
    Verb{"convert", "convert a graph to another file format", add_convert},
    Verb{"order", "number the nodes of a graph by communities, for many machines", add_order},
    Verb{"operator", "learn, check and apply analysis operators", add_operator},
    Verb{"quantize", "store a neural network in fewer bytes", add_quantize},
    Verb{"inspect", "list the tensors of a safetensors or compact file", add_inspect},
    Verb{"dequantize", "restore the float weights of a compact file", add_dequantize},
#ifdef PARSIMONY_RUN
    Verb{"run", "run texts or pictures through a network, from its codes", add_run},
    Verb{"export", "write a network for ONNX Runtime", add_export},
#endif
    Verb{"train", "train a network from a JSON recipe", add_train},
    Verb{"evaluate", "measure accuracy or perplexity on held-out data", add_evaluate},
    Verb{"info", "show the version, the SIMD targets and the default number of threads", add_info},
    Verb{"completion", "print a completion script for bash, zsh or fish", add_completion}};

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace parsimony::cli
