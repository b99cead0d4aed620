"""Tokens of the package `tokenizers` beside Parsimony's.

    python tests/data/references/compare.py                     # writes the fixture of the tests
    python tests/data/references/compare.py build/release DATA  # compares thousands of texts, through
                                                                   # the program experiment_encode

Needs tokenizers. DATA is the data folder (docs/data.md): Brown, the byte pairs of GPT-2 and the word pieces of MiniLM.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers import (
    AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers,
)

HERE = pathlib.Path(__file__).parent
SPECIAL = {"bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
           "roberta": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]}
NASTY = [
    "", " ", "\n", "\t\r\n", "   two  spaces  ", " leading", "trailing ", "don't I'LL we've 'tis 'S it's", "e-mail me@x.org!",
    "caf\u00e9 Cafe\u0301 CAF\u00c9 na\u00efve \u00c5ngstr\u00f6m \u212b", "\u0130stanbul I\u0307 \u0131 \u1e9e \u00df \ufb01n \ufb02y",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \u4e2d\u6587abc\u4e2d", "\ud55c\uad6d\uc5b4 \uac00\uac01\uac02", "\u0395\u039b\u039b\u0397\u039d\u0399\u039a\u0391\u03a3 \u03c3\u03c2 \u037e",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u0645\u064e\u0631\u0652\u062d\u064e\u0628\u064b\u0627", "\u0939\u093f\u0928\u094d\u0926\u0940 \u0929 \u09cb\u09dc \u0dddx",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1e9\U0001f1ea", "a\u200bb\u200ec\u00add\ufeffe", "a\u00a0b\u2003c\u2028d\u0085e\u000bf\u001cg",
    "\ufffd a\ufffdb \ufffe\uffff\ue000", "a\0b", "\u0344\u0301\u0327x\u0323\u0307", "\U0001d15e \U0001d160 \U0001d7d8\u00bd\u2167\u0663",
    "[CLS] [SEP][MASK] [mask] [cls", "<s></s> <mask>  <mask><pad> </S> <unk>x", "x<mask> y <mask>\u3000<mask>\n<mask>",
    "$5.00 + 3% = ^2 `a` ~b~ |c| <d>", "\u201cquotes\u201d \u2018x\u2019 \u2014 \u2026 \u00bfqu\u00e9? \u2e43 \u2e52 \u0a76",
    "a" * 99, "a" * 100, "a" * 101, "\u00e9" * 100, "\u00e9" * 101, "\u4e2d" * 120, "supercalifragilisticexpialidocious" * 3,
    "\u1e69 \u1e9b\u0323 \uf900 \ufa19 \U0002f800", "\u0f73\u0f75\u0f81", "O\u2019Neill\u02bcs 3\u20444 1\ufe0f\u20e3",
    "1234567890 3,141.59 0x1F \u00b2\u2460", "tab\tand\nnew line\r\n", "MiXeD CaSe WORDS", "\u1c89\ua7cb\U00010d50 \U00011380",
]


def random_texts(count, seed):
    draw = random.Random(seed)
    blocks = [(0x20, 0x7E)] * 6 + [(0, 0x24F)] * 3 + [(0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF),
                                                     (0x1E00, 0x22FF), (0x2E00, 0x31FF), (0x4E00, 0x9FFF),
                                                     (0xAC00, 0xD7FF), (0xF900, 0xFFFD), (0x10000, 0x1FFFF), (0x20000, 0x2FA1F),
                                                     (0, 0x10FFFF)]
    texts = []
    for _ in range(count):
        characters = []
        for _ in range(draw.randint(1, 12)):
            first, last = draw.choice(blocks)
            characters += [draw.randint(first, last) for _ in range(draw.randint(1, 5))]
            if draw.random() < 0.5:
                characters.append(0x20)
        texts.append("".join(chr(c) for c in characters if not 0xD800 <= c < 0xE000))
    return texts


def bert(vocabulary, **cleaning):
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**cleaning)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def finish_bert(tokenizer):
    tokenizer.add_special_tokens(SPECIAL["bert"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")])
    return tokenizer


def roberta(vocabulary, merges, prefix_space=False):
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    return tokenizer


def finish_roberta(tokenizer):
    tokenizer.add_special_tokens([AddedToken(name, lstrip=name == "<mask>") for name in SPECIAL["roberta"]])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")))
    return tokenizer


def without_nul(text):
    return text.replace("\0", "\u200b")


def texts_of(rest, count):
    return [without_nul(text) for text in NASTY + random_texts(count, rest)]


def write_fixture():
    """Small vocabularies, learned from the texts themselves, and the tokens of these texts."""
    texts = texts_of(1, 60)
    lines = [t for t in texts if len(t) < 90] * 3
    small_bert = bert({"[UNK]": 0})
    small_bert.train_from_iterator(lines, trainers.WordPieceTrainer(
        vocab_size=420, special_tokens=SPECIAL["bert"], limit_alphabet=200, show_progress=False))
    small_roberta = roberta({}, [])
    small_roberta.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=340, special_tokens=SPECIAL["roberta"][:4], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    record = {}
    for name, tokenizer in [("bert", finish_bert(small_bert)), ("roberta", finish_roberta(small_roberta))]:
        tokenizer.save(str(HERE / f"{name}-tokenizer.json"), pretty=False)
        texts_here = texts if name == "bert" else texts[:len(NASTY)]
        pairs = list(zip(texts[5:25], texts[8:28]))
        record[name] = {
            "texts": [{"text": t, "tokens": tokenizer.encode(t).ids} for t in texts_here],
            "pairs": [], "vocabulary": tokenizer.get_vocab_size()}
        for length, (first, second) in enumerate(pairs, 5):
            tokenizer.enable_truncation(length)
            found = tokenizer.encode(first, second)
            record[name]["pairs"].append({"first": first, "second": second, "length": length, "tokens": found.ids,
                                          "types": found.type_ids})
        tokenizer.no_truncation()
    (HERE / "tokenizers.json").write_text(json.dumps(record) + "\n")


def ours(program, path, texts, length=0, pairs=False):
    out = subprocess.run([program, path, str(length), *(["pairs"] if pairs else [])], check=True,
                         input="".join(t + "\0" for t in texts).encode(), capture_output=True).stdout.decode()
    return [tuple([int(x) for x in part.split()] for part in line.split("|")) for line in out.splitlines()]


def compare(build, data):
    program = build / "experiments/experiment_encode"
    brown = (data / "text/brown.txt").read_text().splitlines()[:10000]
    texts = brown + texts_of(2, 20000) + [chr(c) + "x" for c in range(1, 0x30000) if not 0xD800 <= c < 0xE000]
    byte_pairs = json.loads((data / "text/encoder.json").read_text())
    vocabulary = dict(zip(["<s>", "<pad>", "</s>", "<unk>"], range(4)))
    vocabulary.update({token: 4 + i for token, i in byte_pairs.items()})
    vocabulary["<mask>"] = len(vocabulary)
    merges = (data / "text/vocab.bpe").read_text().splitlines()
    merges = [tuple(line.split()) for line in merges if line and not line.startswith("#version")]
    pieces = {line: i for i, line in enumerate((data / "minilm/vocab.txt").read_text().split("\n")[:-1])}
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        cases = []

        def case(name, tokenizer, path):
            if path is None:
                path = here / f"{name}.json"
                tokenizer.save(str(path))
            cases.append((name, tokenizer, path))

        minilm = Tokenizer.from_file(str(data / "minilm/tokenizer.json"))
        minilm.no_padding()
        minilm.no_truncation()
        case("minilm's tokenizer.json", minilm, data / "minilm/tokenizer.json")
        case("minilm's vocab.txt", finish_bert(bert(pieces)), data / "minilm/vocab.txt")
        case("cased", finish_bert(bert(pieces, lowercase=False)), None)
        case("cased without accents", finish_bert(bert(pieces, lowercase=False, strip_accents=True)), None)
        case("lower case with accents", finish_bert(bert(pieces, strip_accents=False)), None)
        case("neither cleaned nor split", finish_bert(bert(pieces, clean_text=False, handle_chinese_chars=False)), None)
        (here / "pairs").mkdir()
        (here / "pairs/vocab.json").write_text(json.dumps(vocabulary))
        (here / "pairs/merges.txt").write_text((data / "text/vocab.bpe").read_text())
        case("vocab.json and merges.txt", finish_roberta(roberta(vocabulary, merges)), here / "pairs")
        case("byte pairs", finish_roberta(roberta(vocabulary, merges)), None)
        case("byte pairs after a space", finish_roberta(roberta(vocabulary, merges, True)), None)
        failures = 0
        for name, tokenizer, path in cases:
            wanted = [(e.ids, e.type_ids) for e in tokenizer.encode_batch(texts)]
            found = ours(program, path, texts)
            assert len(found) == len(wanted), (name, len(found), len(wanted))
            differ = [t for t, a, b in zip(texts, wanted, found) if a != b]
            couples = list(zip(brown[:3000], brown[3000:6000]))
            tokenizer.enable_truncation(48)
            wanted = [(e.ids, e.type_ids) for e in tokenizer.encode_batch(couples)]
            found = ours(program, path, [t for pair in couples for t in pair], 48, True)
            differ_pairs = [p for p, a, b in zip(couples, wanted, found) if a != b]
            print(f"{name}: {len(differ)} of {len(texts)} texts differ, {len(differ_pairs)} of {len(couples)} pairs")
            for text in differ[:5]:
                print("  ", ascii(text))
            failures += len(differ) + len(differ_pairs)
    return failures


if len(sys.argv) == 1:
    write_fixture()
else:
    sys.exit(compare(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])) > 0)
