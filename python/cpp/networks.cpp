// bindings.hpp: networks that run from their compact files.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "options.hpp"
#include "parsimony/data/image_colors.hpp"
#include "parsimony/run/generate.hpp"
#include "parsimony/run/image_network.hpp"
#include "parsimony/run/language_model.hpp"
#include "parsimony/run/network_kind.hpp"
#include "parsimony/run/session.hpp"
#include "parsimony/run/text_network.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using Path = std::filesystem::path;
using Texts = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct TextSettings {
  run::LoadOptions load;
  run::SessionOptions session;
};

template <OptionsOf<TextSettings> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.load, visit);
  describe(options.session, visit);
}

struct ImageSettings {
  run::LoadOptions load;
  run::PaddingChoice padding = run::PaddingChoice::automatic;
};

template <OptionsOf<ImageSettings> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.load, visit);
  visit(Field{"padding", "zeros around the inputs of convolutions: same as in TensorFlow, or symmetric"},
        options.padding);
}

struct LanguageSettings {
  run::LoadOptions load;
  run::LanguageOptions language;
};

template <OptionsOf<LanguageSettings> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.load, visit);
  describe(options.language, visit);
}

// The facts that all networks have.
nb::dict facts_of(const auto& network) {
  nb::dict out;
  out["precision"] = std::string(enum_name(network.precision()));
  out["weight_bytes"] = network.bytes();
  out["weights_in_codes"] = network.in_codes();
  return out;
}

class TextSession {
 public:
  TextSession(const Path& model, const nb::dict& given, const Call& call)
      : settings_(options_from<TextSettings>(given, call)),
        loaded_(python::run(
            call, kLongWork,
            [&](const Context& context) { return run::load_text_network(model, settings_.load, context); })),
        session_(loaded_.network, settings_.session) {}

  const run::Network& network() const { return loaded_.network; }

  nb::object embed(const Texts& texts, const Call& call) {
    return array_of(run_texts(texts, call, [&](auto texts_of_batch, const Context& context) {
      return session_.embed(texts_of_batch, context);
    }));
  }
  nb::object hidden_states(const std::string& text, const Call& call) {
    return array_of(run_texts(Texts{text}, call, [&](auto texts_of_batch, const Context& context) {
      return session_.hidden_states(texts_of_batch, context);
    }));
  }
  nb::object scores(const Texts& texts, const Call& call) { return array_of(classify(texts, call)); }
  nb::object pair_scores(const Pairs& pairs, const Call& call) { return array_of(classify(pairs, call)); }

 private:
  data::EncodedText encoded(const std::string& text, std::int64_t most) const {
    return loaded_.tokenizer.encode(text, most);
  }
  data::EncodedText encoded(const std::pair<std::string, std::string>& pair, std::int64_t most) const {
    return loaded_.tokenizer.encode_pair(pair.first, pair.second, most);
  }
  Matrix<float> classify(const auto& texts, const Call& call) {
    return run_texts(texts, call, [&](auto texts_of_batch, const Context& context) {
      return session_.classify(texts_of_batch, context);
    });
  }
  // Another thread of Python may call while this one has released the GIL.
  Matrix<float> run_texts(const auto& texts, const Call& call, const auto& body) {
    return python::run(call, kLongWork, [&](const Context& context) {
      std::vector<data::EncodedText> tokens;
      const data::EncoderConfig& config = loaded_.network.config();
      for (const auto& text : texts) {
        tokens.push_back(encoded(text, config.longest_text()));
        if (config.token_types == 1) tokens.back().types.clear();
      }
      const std::lock_guard lock(guard_);
      return body(std::span<const data::EncodedText>(tokens), context);
    });
  }

  TextSettings settings_;
  run::TextNetwork loaded_;
  run::Session session_;
  std::mutex guard_;
};

struct ImageSession {
  ImageSession(const Path& model, const nb::dict& given, const Call& call)
      : ImageSession(model, options_from<ImageSettings>(given, call), call) {}
  ImageSession(const Path& model, const ImageSettings& settings, const Call& call)
      : network(python::run(call, kLongWork, [&](const Context& context) {
          return run::load_image_network(model, settings.load, settings.padding, context);
        })) {}

  nb::object logits(const nb::ndarray<const float, nb::ndim<4>, nb::c_contig, nb::device::cpu>& images,
                    const Call& call) const {
    if (images.shape(1) != 3) refuse("images: must have 3 planes of red, green and blue");
    const auto height = static_cast<std::int64_t>(images.shape(2)),
               width = static_cast<std::int64_t>(images.shape(3));
    return array_of(python::run(call, kLongWork, [&](const Context& context) {
      return network.classify({images.data(), static_cast<std::int64_t>(images.shape(0)), 3 * height * width},
                              height, width, context);
    }));
  }

  run::ImageNetwork network;
};

class LanguageSession {
 public:
  LanguageSession(const Path& model, const nb::dict& given, const Call& call)
      : LanguageSession(model, options_from<LanguageSettings>(given, call), call) {}
  LanguageSession(const Path& model, const LanguageSettings& settings, const Call& call)
      : session_(python::run(call, kLongWork, [&](const Context& context) {
          run::LanguageModel network =
              run::load_language_model(model, settings.language, settings.load, context);
          const Path folder = !settings.load.folder.empty()          ? settings.load.folder
                              : std::filesystem::is_directory(model) ? model
                                                                     : model.parent_path();
          tokenizer_ = run::load_language_tokens(folder.empty() ? "." : folder, network.vocabulary());
          return run::LanguageSession(std::move(network), context);
        })) {}

  const run::LanguageModel& model() const { return session_.model(); }

  nb::object add(const std::vector<std::int32_t>& tokens, bool fresh, const Call& call) {
    return array_of(python::run(call, kLongWork, [&](const Context& context) {
      const std::lock_guard lock(guard_);
      if (fresh) session_.clear();
      const std::span<const float> logits = session_.add(tokens, context);
      return std::vector<float>(logits.begin(), logits.end());
    }));
  }
  std::string generate(const std::string& text, const nb::dict& given, const Call& call) {
    const auto input = options_from<run::GenerateInput>(given, call);
    return python::run(call, kLongWork, [&](const Context& context) {
      const std::lock_guard lock(guard_);
      std::vector<std::int32_t> tokens = tokenizer_.encode(text);
      session_.clear();
      const std::span<const float> logits = session_.add(tokens, context);
      const std::vector<std::int32_t> more = run::continue_text(session_, logits, input, context);
      tokens.insert(tokens.end(), more.begin(), more.end());
      return tokenizer_.decode(tokens);
    });
  }
  std::vector<std::int32_t> tokens_of(const std::string& text) const { return tokenizer_.encode(text); }

 private:
  run::LanguageTokens tokenizer_;
  run::LanguageSession session_;
  std::mutex guard_;
};

}  // namespace

void bind_networks(nb::module_& m) {
  offer_options<TextSettings>(m, "run_texts");
  offer_options<ImageSettings>(m, "run_images");
  offer_options<LanguageSettings>(m, "run_language");
  offer_options<run::GenerateInput>(m, "generate");
  m.def(
      "network_kind",
      [](const Path& model, const Call& call) {
        return std::string(enum_name(
            run(call, kLongWork, [&](const Context& context) { return run::network_kind(model, context); })));
      },
      nb::arg("model"), nb::arg("call"));
  nb::class_<TextSession>(m, "TextSession")
      .def(nb::init<const Path&, const nb::dict&, const Call&>(), nb::arg("model"), nb::arg("given"),
           nb::arg("call"))
      .def_prop_ro("facts",
                   [](const TextSession& self) {
                     nb::dict out = facts_of(self.network());
                     out["width"] = self.network().config().width;
                     out["classes"] = self.network().classes();
                     out["labels"] = nb::cast(self.network().config().labels);
                     return out;
                   })
      .def("embed", &TextSession::embed, nb::arg("texts"), nb::arg("call"))
      .def("hidden_states", &TextSession::hidden_states, nb::arg("text"), nb::arg("call"))
      .def("scores", &TextSession::scores, nb::arg("texts"), nb::arg("call"))
      .def("pair_scores", &TextSession::pair_scores, nb::arg("pairs"), nb::arg("call"));
  nb::class_<ImageSession>(m, "ImageSession")
      .def(nb::init<const Path&, const nb::dict&, const Call&>(), nb::arg("model"), nb::arg("given"),
           nb::arg("call"))
      .def_prop_ro("facts",
                   [](const ImageSession& self) {
                     nb::dict out = facts_of(self.network);
                     out["variant"] = std::string(enum_name(self.network.variant()));
                     out["side"] = self.network.side();
                     out["classes"] = self.network.classes();
                     const data::ImageColors colors =
                         data::image_colors(data::Normalization::by_network, self.network.lite());
                     out["mean"] = nb::make_tuple(colors.mean[0], colors.mean[1], colors.mean[2]);
                     out["deviation"] =
                         nb::make_tuple(colors.deviation[0], colors.deviation[1], colors.deviation[2]);
                     return out;
                   })
      .def("logits", &ImageSession::logits, nb::arg("images"), nb::arg("call"));
  nb::class_<LanguageSession>(m, "LanguageSession")
      .def(nb::init<const Path&, const nb::dict&, const Call&>(), nb::arg("model"), nb::arg("given"),
           nb::arg("call"))
      .def_prop_ro("facts",
                   [](const LanguageSession& self) {
                     nb::dict out = facts_of(self.model());
                     out["width"] = self.model().width();
                     out["layers"] = self.model().layers();
                     out["vocabulary"] = self.model().vocabulary();
                     out["context"] = self.model().options().context;
                     return out;
                   })
      .def("tokens_of", &LanguageSession::tokens_of, nb::arg("text"))
      .def("add", &LanguageSession::add, nb::arg("tokens"), nb::arg("fresh"), nb::arg("call"))
      .def("generate", &LanguageSession::generate, nb::arg("text"), nb::arg("given"), nb::arg("call"));
}

}  // namespace parsimony::python
