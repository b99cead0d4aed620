// The verbs of parsimony.
#include "verbs.hpp"

#include <array>

namespace parsimony::cli {
namespace {

constexpr std::array kVerbs{
    Verb{"cluster", "the clusters of a graph, or of points", add_cluster},
    Verb{"assign", "new points to the clusters of a saved model", add_assign},
    Verb{"knn-graph", "the graph of the nearest neighbours of points", add_knn_graph},
    Verb{"score", "how good a partition is", add_score},
    Verb{"generate", "random graphs with planted clusters", add_generate},
    Verb{"convert", "a graph from one file format to another", add_convert},
    Verb{"operator", "analysis operators: learn one, and use it", add_operator},
    Verb{"quantize", "a neural network in fewer bytes", add_quantize},
    Verb{"inspect", "what a file of tensors holds", add_inspect},
    Verb{"decompress", "the floats of a compact file", add_decompress},
    Verb{"train", "a network by a recipe", add_train},
    Verb{"evaluate", "what a network is worth", add_evaluate},
    Verb{"info", "version, SIMD targets, threads", add_info},
    Verb{"completion", "a script by which bash completes verbs and flags", add_completion}};

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace parsimony::cli
