"""Models of PyTorch in codes: packed modules, files, iterative product quantization, and the steps around it."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import parsimony_ml as pm  # noqa: E402
from parsimony_ml import quant  # noqa: E402
from parsimony_ml.torch import (  # noqa: E402
    IterativePQ,
    PackedEmbedding,
    PackedLinear,
    distillation_loss,
    input_second_moments,
    load_model,
    load_state_dict,
    quantize_,
    recalibrate_batch_norm,
    save_model,
)

torch.set_num_threads(1)  # small layers


class Tagger(nn.Module):
    """Tied embedding and head, a normalization, two feed-forward layers."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(200, 32)
        self.fc1 = nn.Linear(32, 128)
        self.norm = nn.LayerNorm(128)
        self.fc2 = nn.Linear(128, 32)
        self.head = nn.Linear(32, 200, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        return self.head(self.fc2(self.norm(self.fc1(self.embed(tokens)).relu())))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.norm1(self.conv1(x)).relu()
        return self.fc(self.norm2(self.conv2(x)).relu().mean((2, 3)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Tagger().eval()


@pytest.fixture
def images():
    torch.manual_seed(1)
    return Convolutions(), torch.randn(16, 3, 8, 8)


TOKENS = torch.arange(12).reshape(3, 4)


def test_loaded_models_compute_the_same_packed_or_not(net, tmp_path):
    made = quant.compress(net, tmp_path / "small.safetensors", layers={"fc": "pq8x64", "embed|head": "int4"})
    floats = load_model(Tagger().eval(), made.path)
    assert floats.head.weight is floats.embed.weight
    decoded = quant.load(made.path)
    assert all(np.array_equal(value.numpy(), decoded[name]) for name, value in floats.state_dict().items())
    assert all(torch.equal(value, load_state_dict(made.path)[name]) for name, value in floats.state_dict().items())
    packed = load_model(Tagger().eval(), made.path, packed=True, accuracy="exact")
    assert isinstance(packed.embed, PackedEmbedding)
    assert all(isinstance(module, PackedLinear) for module in (packed.fc1, packed.fc2, packed.head))
    assert sum(parameter.numel() for parameter in packed.parameters()) == 128 + 32 + 2 * 128
    torch.testing.assert_close(packed(TOKENS), floats(TOKENS), rtol=1e-4, atol=1e-5)
    # The codes of a packed model give the same file.
    size = save_model(packed, tmp_path / "again.safetensors")
    assert size <= made.bytes + 100
    again = quant.load(tmp_path / "again.safetensors")
    assert all(np.array_equal(value, again[name]) for name, value in decoded.items())


def test_quantize_makes_the_codes_of_the_file(net, tmp_path):
    made = quant.compress(net, tmp_path / "small.safetensors", scheme="int4g32")
    packed = quantize_(copy.deepcopy(net), "int4g32")
    decoded = quant.load(made.path)
    for name in ("fc1", "fc2", "embed", "head"):
        weight = packed.get_submodule(name).quantized.decode()
        assert np.array_equal(weight, decoded[f"{name}.weight"])
    assert torch.equal(packed.fc1.bias, net.fc1.bias)


def test_convolutions_take_their_decoded_values(images):
    model, x = images
    model.eval()
    floats = copy.deepcopy(model)
    assert quantize_(model, "int4") is model
    assert isinstance(model.conv2, nn.Conv2d)
    assert np.array_equal(model.conv2.weight.detach().numpy(), quant.quantize(floats.conv2.weight, "int4").decode())
    assert 0 < (model(x) - floats(x)).abs().max() < 0.2


def test_packed_modules_in_states_and_gradients(net):
    packed = quantize_(copy.deepcopy(net), "pq8x32", accuracy="exact")
    other = quantize_(Tagger().eval(), "pq8x32", accuracy="exact")
    state = copy.deepcopy(packed.state_dict())
    other.load_state_dict(state)
    assert torch.equal(other(TOKENS), packed(TOKENS))
    x = torch.randn(5, 32, requires_grad=True)
    packed.fc1(x).square().sum().backward()
    own = torch.autograd.grad(F.linear(x, packed.fc1.weight, packed.fc1.bias).square().sum(), x)[0]
    torch.testing.assert_close(x.grad, own, rtol=1e-4, atol=1e-4)
    half = packed.fc1(x.detach().half())
    assert half.dtype == torch.float16


def test_states_survive_torch_save(net, tmp_path):
    packed = quantize_(net, "int4g32")
    torch.save(packed.state_dict(), tmp_path / "state.pt")
    other = quantize_(Tagger().eval(), "int4g32")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(other(TOKENS), packed(TOKENS))


def test_files_that_do_not_fit_change_nothing(net, tmp_path):
    quant.compress(net, tmp_path / "small.safetensors")
    wider = Tagger()
    wider.fc1.bias = nn.Parameter(torch.zeros(64))
    before = copy.deepcopy(wider.state_dict())
    with pytest.raises(pm.FormatError, match=r"'fc1.bias' has the shape \(128,\), and in the model \(64,\)"):
        load_model(wider, tmp_path / "small.safetensors")
    more = Tagger()
    more.extra = nn.Linear(2, 2)
    with pytest.raises(pm.FormatError, match=r"it lacks 'extra.weight', 'extra.bias'"):
        load_model(more, tmp_path / "small.safetensors")
    with pytest.raises(pm.FormatError, match=r"none of the tensors of the model, such as 'conv1.weight'"):
        load_model(Convolutions(), tmp_path / "small.safetensors", strict=False)
    assert all(torch.equal(value, wider.state_dict()[name]) for name, value in before.items())
    with pytest.raises(pm.InvalidArgumentError, match="has no packed modules"):
        save_model(net, tmp_path / "other.safetensors")


def test_models_without_values_or_with_more_than_tensors_are_refused(net, tmp_path):
    quant.compress(net, tmp_path / "net.safetensors")
    with torch.device("meta"):
        empty = Tagger()
    with pytest.raises(pm.InvalidArgumentError, match=r"model: 'embed\.weight' is on the device meta"):
        load_model(empty, tmp_path / "net.safetensors")
    with pytest.raises(pm.InvalidArgumentError, match=r"model: 'embed\.weight' has no values: it is on the device meta"):
        quant.compress(empty, dry_run=True)
    with pytest.raises(pm.InvalidArgumentError, match=r"model: 'a' has the layout torch\.sparse_coo"):
        quant.compress({"a": torch.eye(64).to_sparse()}, dry_run=True)
    packed = quantize_(copy.deepcopy(net))
    with pytest.raises(pm.InvalidArgumentError, match=r"model: 'embed\._extra_state' is of type dict; .*save_model"):
        quant.compress(packed, tmp_path / "packed.safetensors")
    with pytest.raises(pm.InvalidArgumentError, match="metadata: 'epoch' is 3; must be text"):
        save_model(packed, tmp_path / "packed.safetensors", metadata={"epoch": 3})
    with pytest.raises(pm.InvalidArgumentError, match="accuracy: has an effect only with packed=True"):
        load_model(net, tmp_path / "net.safetensors", accuracy="exact")
    with pytest.raises(pm.InvalidArgumentError, match=r"x: must be floats, not torch\.int64"):
        packed.fc1(torch.ones(2, 32, dtype=torch.int64))
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_gradients_of_centroids_are_means(net):
    """dL/dc = (1 / |J_c|) sum of dL/db over the blocks with the code c; the codes stay."""
    ipq = IterativePQ(net, {"fc[12]": "pq8x16"}, shared_codebook=True)
    assert next(iter(ipq)) == "fc[12]"
    (book,) = ipq.centroids()
    tensors = ipq.tensors()
    leaves = {
        f"{name}.weight": torch.from_numpy(tensors[f"{name}.weight"].decode()).requires_grad_() for name in ("fc1", "fc2")
    }
    with torch.no_grad():
        book.copy_(torch.from_numpy(tensors["fc1.weight"].centroids))  # as the file rounds them
    loss = net(TOKENS).square().mean()
    loss.backward()
    ipq.enabled = False
    other = torch.func.functional_call(net, leaves, (TOKENS,)).square().mean()
    torch.testing.assert_close(other, loss)
    other.backward()
    expected = torch.zeros_like(book)
    counts = torch.zeros(16, 1)
    for name in ("fc1", "fc2"):
        codes = torch.from_numpy(tensors[f"{name}.weight"].codes.astype(np.int64)).reshape(-1)
        expected.index_add_(0, codes, leaves[f"{name}.weight"].grad.reshape(-1, 8))
        counts.index_add_(0, codes, torch.ones(len(codes), 1))
    torch.testing.assert_close(book.grad, expected / counts, rtol=1e-4, atol=1e-8)
    assert all(net.get_parameter(f"{name}.weight").grad is None for name in ("fc1", "fc2"))


def test_stages_go_from_floats_to_a_file(net, tmp_path):
    teacher = copy.deepcopy(net)
    stages = {"fc[12]": "pq8x32", "embed": "pq4x64"}
    ipq = IterativePQ(net, stages, latent_weights=True, codebook="int8")
    state = list(net.state_dict())
    losses = []
    for _ in ipq:
        optimizer = torch.optim.Adam(ipq.parameters(), 2e-3)
        losses.append([])
        for step in range(25):
            tokens = torch.randint(200, (8, 4), generator=torch.Generator().manual_seed(step % 5))
            loss = distillation_loss(net(tokens), teacher(tokens))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses[-1].append(loss.item())
            if step == 10:
                assert 0 <= ipq.reassign() < 0.5
    assert np.mean(losses[0][-5:]) < 0.6 * np.mean(losses[0][:5])
    assert list(net.state_dict()) == state
    size = ipq.save(tmp_path / "small.safetensors", half=False)
    assert size == (tmp_path / "small.safetensors").stat().st_size < 9000
    expected = ipq.tensors()
    loaded = load_model(Tagger().eval(), tmp_path / "small.safetensors")
    assert loaded.head.weight is loaded.embed.weight
    assert all(np.array_equal(loaded.state_dict()[name], tensor.decode()) for name, tensor in expected.items())
    ipq.store()
    assert torch.equal(loaded(TOKENS), net(TOKENS))


def test_codes_follow_latent_weights(net):
    ipq = IterativePQ(net, {"fc1": "pq8x16"}, latent_weights=True)
    ipq.quantize_stage()
    net(TOKENS).sum().backward()
    (book,) = ipq.centroids()
    codes = torch.from_numpy(ipq.tensors()["fc1.weight"].codes.astype(np.int64))
    blocks = net.fc1.weight.grad.reshape(*codes.shape, 8)  # straight through
    for code in range(16):
        torch.testing.assert_close(book.grad[code], blocks[codes == code].mean(0), rtol=1e-4, atol=1e-6)
    assert ipq.reassign() == 0
    with torch.no_grad():
        net.fc1.weight[:32] = book[(codes[:32] + 1) % 16].reshape(32, 32)
    assert ipq.reassign() == 0.25
    after = torch.from_numpy(ipq.tensors()["fc1.weight"].codes.astype(np.int64))
    assert torch.equal(after, torch.cat([(codes[:32] + 1) % 16, codes[32:]]))


def test_integers_are_stages_too(images):
    model, x = images
    ipq = IterativePQ(model, {"conv1|fc": "int4", "conv2": "pq"})
    assert [list(ipq.quantize_stage()) for _ in range(2)] == [["conv1", "fc"], ["conv2"]]
    tensors = ipq.tensors()
    model(x).square().sum().backward()
    assert model.conv1.weight.grad is not None  # straight through
    assert model.conv2.weight.grad is None
    assert (tensors["conv1.weight"].bits, tensors["conv2.weight"].centroids.shape[1]) == (4, 9)
    with torch.no_grad():
        model.fc.weight.mul_(2)
    clipped = ipq.tensors()["fc.weight"].decode()
    ipq.fit_ranges()
    own = model.fc.weight.detach().numpy()
    assert np.abs(ipq.tensors()["fc.weight"].decode() - own).max() < np.abs(clipped - own).max()


def test_iterative_quantization_resumes(net):
    stages = {"fc[12]": "pq8x32", "embed": "int4"}
    ipq = IterativePQ(net, stages)
    ipq.quantize_stage()
    with torch.no_grad():
        ipq.centroids()[0].mul_(1.1)
    other = Tagger().eval()
    other.load_state_dict(net.state_dict())
    resumed = IterativePQ(other, stages)
    resumed.load_state_dict(copy.deepcopy(ipq.state_dict()))
    assert resumed.stage == 1
    assert torch.equal(other(TOKENS), net(TOKENS))
    ipq.quantize_stage()
    resumed.quantize_stage()
    assert torch.equal(other(TOKENS), net(TOKENS))
    ipq.remove()
    assert torch.equal(net(TOKENS), Tagger().eval().load_state_dict(net.state_dict()) and net(TOKENS))


def test_mistakes_in_stages_are_refused(net):
    with pytest.raises(pm.InvalidArgumentError, match="layers: 'conv' matches none"):
        IterativePQ(net, {"conv": "pq8"})
    with pytest.raises(pm.InvalidArgumentError, match="products or integers, such as 'pq8' or 'int8', not 'proxy'"):
        IterativePQ(net, {"fc1": "proxy"})
    with pytest.raises(pm.InvalidArgumentError, match="blocks: there is no such option"):
        IterativePQ(net, {"fc1": "pq8"}, blocks=4)
    with pytest.raises(pm.InvalidArgumentError, match="importance: has none of the layers of the stages, but 'fc3'"):
        IterativePQ(net, {"fc1": "pq8"}, importance={"fc3.input_second_moment": np.ones(32)})
    ipq = IterativePQ(net, {"fc1": "pq8"})
    assert len(list(ipq)) == 1
    with pytest.raises(pm.InvalidArgumentError, match="reassign: needs latent_weights"):
        ipq.reassign()
    with pytest.raises(pm.InvalidArgumentError, match="all are quantized"):
        ipq.quantize_stage()


def test_distillation_is_the_divergence_of_the_teacher():
    torch.manual_seed(0)
    student, teacher = torch.randn(6, 5, requires_grad=True), torch.randn(6, 5, requires_grad=True)
    loss = distillation_loss(student, teacher, 3)
    p, q = (F.softmax(logits / 3, -1) for logits in (teacher, student))
    torch.testing.assert_close(loss, 9 * (p * (p / q).log()).sum() / 6)
    loss.backward()
    assert teacher.grad is None
    torch.testing.assert_close(student.grad, 3 * (q - p).detach() / 6)
    assert distillation_loss(student, student).item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(pm.InvalidArgumentError, match=r"teacher: has the shape \(6, 4\)"):
        distillation_loss(student, torch.randn(6, 4))


def test_batch_norms_get_the_means_of_all_batches(images):
    model, x = images
    model.train()
    model.norm2.eval()
    modes = [module.training for module in model.modules()]
    recalibrate_batch_norm(model, [x[:8], x[8:]])
    assert [module.training for module in model.modules()] == modes
    outputs = [model.conv1(half) for half in (x[:8], x[8:])]
    means = torch.stack([out.mean((0, 2, 3)) for out in outputs]).mean(0)
    variances = torch.stack([out.transpose(0, 1).flatten(1).var(1) for out in outputs]).mean(0)
    torch.testing.assert_close(model.norm1.running_mean, means, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(model.norm1.running_var, variances, rtol=1e-4, atol=1e-6)
    assert model.norm1.momentum == 0.1
    before = copy.deepcopy(model.state_dict())
    for batches in ([], [x, "wrong"]):
        with pytest.raises((pm.InvalidArgumentError, TypeError, AttributeError)):
            recalibrate_batch_norm(model, batches)
        assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_moments_of_inputs_that_are_keywords():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(input=x)

    found = input_second_moments(Named(), [torch.tensor([[1.0, 2.0, 3.0]])])
    assert found["fc.input_second_moment"].tolist() == [1, 4, 9]


@pytest.mark.parametrize(
    "call",
    [
        lambda layer, x, mask: layer(x, mask),
        lambda layer, x, mask: layer(hidden=x, mask=mask),
        lambda layer, x, mask: layer(mask=mask, hidden=x),
        lambda layer, x, mask: layer(x, mask=mask),
    ],
)
def test_moments_of_a_layer_with_arguments_of_its_own(call):
    class Masked(nn.Linear):
        def forward(self, hidden, mask):
            return super().forward(hidden * mask)

    class Position(nn.Module):
        """A table that gets a length, not a tensor."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(5, 3))

        def forward(self, length):
            return self.weight[:length]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.positions = Position()
            self.fc = Masked(3, 2)

        def forward(self, x):
            return call(self.fc, x + self.positions(len(x)), torch.full((3,), 0.5))

    x = torch.tensor([[1.0, 2.0, 3.0], [3.0, 0.0, 1.0]])
    found = input_second_moments(Model(), [x])
    assert {name: values.tolist() for name, values in found.items()} == {"fc.input_second_moment": [5, 2, 5]}


def test_a_layer_refuses_arguments_while_moments_are_measured():
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(hidden=x)

    with pytest.raises(TypeError, match="hidden"):
        input_second_moments(Wrong(), [torch.ones(1, 3)])


def test_moments_of_inputs_calibrate(images):
    model, x = images
    moments = input_second_moments(model.eval(), [x[:4], (x[4:],)])
    assert {name: values.shape for name, values in moments.items()} == {
        "conv1.input_second_moment": (3,),
        "conv2.input_second_moment": (16,),
        "fc.input_second_moment": (32,),
    }
    np.testing.assert_allclose(moments["conv1.input_second_moment"], x.square().mean((0, 2, 3)), rtol=1e-5)
    made = quant.compress(model, calibration=moments, scheme="int4", dry_run=True)
    assert len(made.weights) == 3
    assert not model.conv1._forward_pre_hooks
