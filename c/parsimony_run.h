/* Texts through a network from its compact file, for programs in C and others that call C.
 *
 *   parsimony_run* run = parsimony_run_open("small.safetensors", NULL, 1, error, sizeof error);
 *   parsimony_run_embed(run, texts, count, vectors, error, sizeof error);
 *   parsimony_run_close(run);
 *
 * A handle belongs to one thread at a time; several threads take a handle each. Functions that can fail take memory for
 * a message, which gets one line that names the file or argument, says what is wrong with it and what would be right;
 * error may be NULL. No function prints or ends the program. */
#ifndef PARSIMONY_RUN_H
#define PARSIMONY_RUN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct parsimony_run parsimony_run;

/* Opens a BERT or RoBERTa: a safetensors file, compact or not, or a folder with model.safetensors. config.json and the
 * tokenizer lie in `folder`; NULL: beside the model. threads: 0 takes all that the process may use. Returns NULL on
 * failure. */
parsimony_run* parsimony_run_open(const char* model, const char* folder, int threads, char* error, size_t error_size);

/* Values of a vector. */
size_t parsimony_run_width(const parsimony_run* run);

/* Classes of the network; 0 for a network without a classification head. */
size_t parsimony_run_classes(const parsimony_run* run);

/* vectors: count * width values, those of the first text first: the means of the vectors of its tokens, of length 1.
 * Texts are UTF-8; one with more tokens than the network has positions loses its end. Returns 0, or another number on
 * failure. Time and memory: as parsimony run. */
int parsimony_run_embed(parsimony_run* run, const char* const* texts, size_t count, float* vectors, char* error,
                        size_t error_size);

/* scores: count * classes values, those of the first text first, before the softmax. Returns 0, or another number on
 * failure, as for a network without a classification head. */
int parsimony_run_classify(parsimony_run* run, const char* const* texts, size_t count, float* scores, char* error,
                           size_t error_size);

/* run may be NULL. */
void parsimony_run_close(parsimony_run* run);

#ifdef __cplusplus
}
#endif

#endif
