// The entry calls of all capabilities together, for a first try; a program that stays includes only what it
// uses.
//
//   cluster::cluster, cluster::cluster_points                    clusters of a graph or of points
//   operators::learn_operator, operators::certify                analysis operators: learn one, test one
//   images::denoise, images::inpaint, images::quality            images: less noise, missing pixels, PSNR and
//   SSIM quant::compress, quant::dequantize                           neural networks in fewer bytes, and
//   back
//
// Link parsimony::parsimony.
#pragma once

#include "parsimony/cluster/cluster.hpp"
#include "parsimony/images/denoise.hpp"
#include "parsimony/operators/certify.hpp"
#include "parsimony/operators/learn.hpp"
#include "parsimony/quant/compress.hpp"
