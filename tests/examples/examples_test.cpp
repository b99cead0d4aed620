// The examples for operators and images, run as a user runs them, on small inputs.
#include <cstdlib>

#include "cli/command.hpp"
#include "images/pictures.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/images/image_quality.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/signals.hpp"
#include "places.hpp"

namespace parsimony::cli {
namespace {

using parsimony::testing::made_image;
using parsimony::testing::with_noise;

class Examples : public Command {
 protected:
  // Returns the exit status of the program; its output goes to the file "printed".
  int run_example(const std::string& program, const std::string& arguments) const {
    const std::string shell = places::example(program) + " " + arguments + " > " + path("printed") + " 2>&1";
    const int status = std::system(shell.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(Examples, DenoiseRaisesThePsnrOfEveryChannel) {
  Image clean{{made_image(48, 60), made_image(48, 60), made_image(48, 60)}, 8, false}, noisy = clean;
  for (float& value : clean.channels[1].values()) value = 255 - value;
  for (std::size_t c = 0; c < 3; ++c) noisy.channels[c] = with_noise(clean.channels[c], 20, c + 1);
  write_image(path("noisy.png"), noisy);
  ASSERT_EQ(run_example("denoise", path("noisy.png") + " " + path("out.png")), 0)
      << read_text(path("printed"));
  const Image before = read_image(path("noisy.png")), after = read_image(path("out.png"));
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_GT(images::psnr(after.channels[c], clean.channels[c]),
              images::psnr(before.channels[c], clean.channels[c]) + 3)
        << "channel " << c;
  }
}

TEST_F(Examples, LearnOperatorFindsTheOneOfTheSignals) {
  const Matrix<double> truth = operators::random_untf(24, 16, 3);
  write_npy(path("signals.npy"), operators::cosparse_signals(truth, {.samples = 768, .seed = 1}).view());
  ASSERT_EQ(run_example("learn_operator", path("signals.npy") + " " + path("operator.npy")), 0)
      << read_text(path("printed"));
  EXPECT_EQ(operators::recovered_rows(truth, operators::read_operator(path("operator.npy"))), 1);
  EXPECT_EQ(read_text(path("printed")).rfind("Certified", 0), 0u) << read_text(path("printed"));
}

TEST_F(Examples, SayHowTheyAreUsed) {
  for (const std::string program : {"denoise", "learn_operator"}) {
    EXPECT_EQ(run_example(program, ""), 2);
    EXPECT_EQ(read_text(path("printed")).rfind("usage: example_", 0), 0u);
    EXPECT_EQ(run_example(program, path("none.npy") + " " + path("out.png")), 1);
    EXPECT_NE(read_text(path("printed")).find("none.npy"), std::string::npos);
  }
}

}  // namespace
}  // namespace parsimony::cli
