/* Prints the similarity of two texts: embed MODEL TEXT TEXT */
#include <stdio.h>
#include <stdlib.h>

#include "parsimony_run.h"

int main(int argc, char** argv) {
  char error[500];
  if (argc != 4) {
    fprintf(stderr, "usage: embed MODEL TEXT TEXT\n");
    return 2;
  }
  parsimony_run* run = parsimony_run_open(argv[1], NULL, 1, error, sizeof error);
  if (run == NULL) {
    fprintf(stderr, "embed: %s\n", error);
    return 1;
  }
  const size_t width = parsimony_run_width(run);
  float* vectors = malloc(2 * width * sizeof(float));
  const char* texts[] = {argv[2], argv[3]};
  if (vectors == NULL || parsimony_run_embed(run, texts, 2, vectors, error, sizeof error) != 0) {
    fprintf(stderr, "embed: %s\n", vectors == NULL ? "no memory" : error);
    free(vectors);
    parsimony_run_close(run);
    return 1;
  }
  double cosine = 0;
  for (size_t i = 0; i < width; ++i) {
    cosine += (double)vectors[i] * vectors[width + i];
  }
  printf("%.4f\n", cosine);
  free(vectors);
  parsimony_run_close(run);
  return 0;
}
