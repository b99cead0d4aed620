"""Quantization noise: which blocks are drawn, their values, their gradients, and what it leaves alone."""

import copy
import multiprocessing

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.utils.checkpoint import checkpoint  # noqa: E402

import parsimony_ml as pm  # noqa: E402
from parsimony_ml.quant import quantize  # noqa: E402
from parsimony_ml.torch import QuantNoise  # noqa: E402
from parsimony_ml.torch._device_noise import noise_on_device  # noqa: E402

torch.set_num_threads(1)  # small layers

FUNCTIONS = ["proxy", "mean", "int4", "product", "product-integer"]


class Net(nn.Module):
    """Every kind of layer; blocks that do not divide a row; a padding row."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 12, padding_idx=3)
        self.conv = nn.Conv1d(12, 10, 3, padding=1)
        self.depthwise = nn.Conv1d(10, 10, 3, padding=1, groups=10)
        self.attention = nn.MultiheadAttention(10, 2, batch_first=True)
        self.out = nn.Linear(10, 7)

    def forward(self, tokens):
        x = self.depthwise(self.conv(self.embed(tokens).transpose(1, 2))).transpose(1, 2)
        return self.out(self.attention(x, x, x)[0].tanh())


@pytest.fixture
def net():
    torch.manual_seed(1)
    return Net()


@pytest.fixture
def tokens():
    return torch.arange(20).reshape(2, 10)


def psi(noise, name):
    """The weight that a layer computes with at this step."""
    state = noise._states[name]
    return noise._noised(state.layer, state).detach()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_model_stays_as_it_is(net, tokens, function):
    state = net.state_dict(keep_vars=True)
    before = {name: value.detach().clone() for name, value in state.items()}
    with QuantNoise(net, function, 0.3, block_size=4, refresh_steps=3) as noise:
        for _ in range(10):
            net(tokens).sum().backward()
            noise.step()
        during = net.state_dict(keep_vars=True)
        assert list(during) == list(before)
        assert all(during[name] is state[name] for name in before)
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())
    assert not any("weight" in module.__dict__ for module in net.modules())
    assert all(parameter.grad is not None for parameter in net.parameters())
    plain = net(tokens)
    assert torch.equal(plain, net(tokens))


def blocks_of(weight, size):
    """(number of output, block) -> its values; a row's last block may be shorter."""
    rows = weight.reshape(len(weight), -1)
    return [[row[at : at + size] for at in range(0, len(row), size)] for row in rows]


@pytest.mark.parametrize("rate", [0.4, 1.0])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_drawn_blocks_have_the_value_of_the_function_and_others_their_bits(net, function, rate):
    noise = QuantNoise(net, function, rate, block_size=4, centroids=5, seed=3)
    assert noise.layers == ["embed", "conv", "depthwise", "attention.in_proj_weight", "attention.out_proj", "out"]
    for name in noise.layers:
        layer = noise._states[name].layer
        own, noised = layer.weight.detach(), psi(noise, name)
        size = 1 if function == "int4" else 4
        drawn = noise.drawn(name)
        if function == "int4":
            low, high = own.min().double(), own.max().double()
            scale = float(((high - low) / 15).float())
            zero = -round(float(low) / scale)
        book = noise._states[name].codebook
        if function == "product-integer":
            book = noise._states[name].noise.rounded(book)
        for row, (mine, theirs) in enumerate(zip(blocks_of(own, size), blocks_of(noised, size), strict=True)):
            for number, (block, value) in enumerate(zip(mine, theirs, strict=True)):
                if not drawn[row, number]:
                    assert torch.equal(block, value)
                    continue
                if function == "proxy":
                    expected = torch.zeros_like(block)
                elif function == "mean":
                    expected = block.mean().expand_as(block)
                elif function == "int4":
                    code = np.clip(np.rint(float(block) / scale + zero), 0, 15)
                    expected = torch.tensor([(code - zero) * scale], dtype=torch.float32)
                else:
                    padded = F.pad(block, (0, 4 - len(block))).double().numpy()
                    nearest = np.square(book - padded).sum(1).argmin()
                    expected = torch.from_numpy(book[nearest, : len(block)])
                torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-7)
        if name == "embed":
            assert not drawn[3].any()
        elif rate == 1:
            assert drawn.all()


def test_integer_noise_has_the_values_of_the_file():
    net = nn.Sequential(nn.Linear(64, 20), nn.Conv2d(16, 20, 3))
    for rule in ("min-max", "histogram", "mse"):
        noise = QuantNoise(net, "int4", 1.0, granularity="per-channel", range=rule)
        for name in noise.layers:
            weight = noise._states[name].layer.weight
            assert np.array_equal(psi(noise, name).numpy(), quantize(weight, "int4", range=rule).decode())


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("layout", ["row", "input-channels"])
def test_other_devices_and_types_take_the_same_values(net, function, layout):
    noise = QuantNoise(net, function, 0.5, block_size=4, centroids=5, layout=layout, granularity="per-channel")
    for name in noise.layers:
        state = noise._states[name]
        weight = state.layer.weight.detach()
        library = psi(noise, name)
        values = noise_on_device(weight, state.noise, 0, state.codebook)
        torch.testing.assert_close(values, library, rtol=1e-5, atol=1e-7)
        half = weight.to(torch.bfloat16)
        values = noise_on_device(half, state.noise, 0, state.codebook)
        assert values.dtype == torch.bfloat16
        assert torch.equal(values[library == weight], half[library == weight])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradients_pass_straight_through(net, tokens, function):
    """The gradient of W is that of the loss at psi(W), for drawn blocks and for the others."""
    noise = QuantNoise(net, function, 0.5, block_size=4)
    noised = {noise._states[name].layer.key.replace("in_proj.", "in_proj_"): psi(noise, name) for name in noise.layers}
    torch.manual_seed(2)
    target = torch.randn(2, 10, 7)
    F.mse_loss(net(tokens), target).backward()
    noise.remove()
    leaves = {name: value.clone().requires_grad_() for name, value in noised.items()}
    F.mse_loss(torch.func.functional_call(net, leaves, (tokens,)), target).backward()
    for name, parameter in net.named_parameters():
        if name in leaves:
            assert torch.equal(parameter.grad, leaves[name].grad), name
    assert len(leaves) == 6


def test_draws_are_binomial_and_independent():
    net = nn.Sequential(nn.Linear(64, 50), nn.Linear(50, 64), nn.Linear(64, 50))
    noise = QuantNoise(net, "proxy", 0.2, seed=5)
    draws = []
    for _ in range(60):
        draws.append([noise.drawn(name).ravel() for name in noise.layers])
        noise.step()
    for number in range(3):
        counts = np.array([step[number] for step in draws])  # steps x blocks
        blocks = counts.size
        assert abs(counts.sum() - 0.2 * blocks) < 4.5 * np.sqrt(0.16 * blocks)
        per_block = counts.sum(0)
        chi = np.square(per_block - 12).sum() / (60 * 0.16)
        assert abs(chi - len(per_block)) < 5 * np.sqrt(2 * len(per_block))
    first, third = (np.array([step[number] for step in draws]).ravel() - 0.2 for number in (0, 2))
    for a, b in [(first, third), (first[:-400], first[400:]), (first[:-1], first[1:])]:
        assert abs((a * b).mean()) < 4.5 * 0.16 / np.sqrt(len(a))


def test_a_draw_depends_on_seed_step_layer_and_block_alone(net):
    everything = QuantNoise(net, "proxy", 0.5, seed=7)
    some = QuantNoise(net, "proxy", 0.5, seed=7, layers="out")
    other = QuantNoise(net, "proxy", 0.5, seed=8)
    assert np.array_equal(everything.drawn("out"), some.drawn("out"))
    assert not np.array_equal(everything.drawn("out"), other.drawn("out"))
    before = everything.drawn("out")
    everything.step()
    assert not np.array_equal(everything.drawn("out"), before)
    more = QuantNoise(net, "proxy", 0.6, seed=7)
    assert (more.drawn("out") >= before).all()


def test_rates_follow_their_schedule(net):
    linear = QuantNoise(net, "proxy", 0.5, schedule="linear", first_rate=0.1, ramp_steps=4)
    rates = []
    for _ in range(6):
        rates.append(linear.rate())
        linear.step()
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
    random = QuantNoise(net, "proxy", 0.4, schedule="random", first_rate=0.2)
    rates = []
    for _ in range(2000):
        rates.append(random.rate())
        random.step()
    assert 0.2 <= min(rates) <= max(rates) <= 0.4
    assert np.mean(rates) == pytest.approx(0.3, abs=5 * 0.2 / np.sqrt(12 * 2000))


def test_layers_have_options_of_their_own(net):
    noise = QuantNoise(net, "proxy", 0.1, layers={"embed": "int8", "out|conv": {"function": "pq4x8", "rate": 0.7}})
    functions = {name: state.noise.function for name, state in noise._states.items()}
    assert functions == {"embed": "integer", "conv": "product", "out": "product"}
    assert noise.rate("embed") == 0.1
    assert noise.rate("out") == 0.7
    assert noise._states["out"].noise.block_size == 4


def steps(net, tokens, noise, optimizer, count):
    for _ in range(count):
        net(tokens).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(net, tokens, function):
    def start(model):
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        noise = QuantNoise(model, function, 0.5, block_size=4, refresh_steps=2, optimizer=optimizer)
        return noise, optimizer

    stopped = copy.deepcopy(net)
    noise, optimizer = start(net)
    steps(net, tokens, noise, optimizer, 5)
    early, early_optimizer = start(stopped)
    steps(stopped, tokens, early, early_optimizer, 3)
    saved = copy.deepcopy((stopped.state_dict(), early.state_dict(), early_optimizer.state_dict()))
    early.remove()
    resumed = Net()
    resumed.load_state_dict(saved[0])
    late, late_optimizer = start(resumed)
    late.load_state_dict(saved[1])
    late_optimizer.load_state_dict(saved[2])
    steps(resumed, tokens, late, late_optimizer, 2)
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in net.state_dict().items())


def test_activation_checkpoints_recompute_the_same_weights():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 20))
    x = torch.randn(5, 20, requires_grad=True)
    with QuantNoise(net, "product", 0.5):
        net(x).square().sum().backward()
        plain = [parameter.grad.clone() for parameter in net.parameters()]
        net.zero_grad()
        for reentrant in (False, True):
            checkpoint(net, x, use_reentrant=reentrant).square().sum().backward()
            assert all(torch.equal(p.grad, g) for p, g in zip(net.parameters(), plain, strict=True))
            net.zero_grad()
    assert not any("weight" in module.__dict__ for module in net)


def test_compiled_models_draw_anew_at_every_step(net, tokens):
    compiled = torch.compile(net, backend="eager")
    with QuantNoise(net, "int4", 0.5) as noise:
        outputs = []
        for _ in range(3):
            expected = net(tokens)
            assert torch.equal(compiled(tokens), expected)
            outputs.append(expected)
            noise.step()
        assert not torch.equal(outputs[0], outputs[1])
    assert torch.equal(compiled(tokens), net(tokens))


def test_shared_weights_are_noised_alike(tokens):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(20, 8)
            self.head = nn.Linear(8, 20, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens):
            return self.head(self.embed(tokens))

    net = Tied()
    with QuantNoise(net, "proxy", 0.5) as noise:
        assert noise.layers == ["embed"]
        weight = psi(noise, "embed")
        assert torch.equal(net(tokens), F.linear(F.embedding(tokens, weight), weight))


def test_copies_of_a_model_have_no_noise(net, tokens, tmp_path):
    plain = net(tokens)
    noise = QuantNoise(net, "int4", rate=1)
    torch.save(net, tmp_path / "net.pt")
    for copied in (copy.deepcopy(net), torch.load(tmp_path / "net.pt", weights_only=False)):
        assert torch.equal(copied.train()(tokens), plain)
    assert not torch.equal(net.train()(tokens), plain)
    noise.remove()


def test_evaluation_has_no_noise(net, tokens):
    plain = net.eval()(tokens)
    with QuantNoise(net, "proxy", 1.0) as noise:
        assert torch.equal(net(tokens), plain)
        net.train()
        assert not torch.equal(net(tokens), plain)
        noise.enabled = False
        assert torch.equal(net(tokens), plain)


def test_noises_compose():
    net = nn.Linear(16, 4)
    with QuantNoise(net, "int4", 1.0) as inner:
        rounded = psi(inner, "")
        with QuantNoise(net, "proxy", 0.5) as outer:
            drawn = torch.from_numpy(outer.drawn()).repeat_interleave(8, 1)
            assert torch.equal(net(torch.eye(16)), torch.where(drawn, 0, rounded).T + net.bias)
            net(torch.eye(16)).sum().backward()
    assert torch.equal(net.weight.grad, torch.ones(4, 16))


def test_inputs_first_layers_are_cut_along_inputs():
    class Conv1D(nn.Module):  # as GPT-2's
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(16, 3))

    module = Conv1D()
    noise = QuantNoise(module, "proxy", 0.5)
    drawn = torch.from_numpy(noise.drawn()).repeat_interleave(8, 1)
    assert torch.equal(psi(noise, ""), torch.where(drawn, 0, module.weight.detach().T).T)


def test_a_failed_forward_leaves_the_model_clean(net, tokens):
    with QuantNoise(net, "proxy", 0.5):
        with pytest.raises(IndexError):
            net(tokens + 100)
        assert not any("weight" in module.__dict__ for module in net.modules())


def test_refuses_mistakes(net, tokens):
    with pytest.raises(pm.InvalidArgumentError, match=r"rate: 1.5 is out of range; must be from 0 to 1"):
        QuantNoise(net, "proxy", 1.5)
    with pytest.raises(pm.InvalidArgumentError, match=r"function: must be one of 'proxy', .*, not 'zero'"):
        QuantNoise(net, "zero")
    with pytest.raises(pm.InvalidArgumentError, match="bit: there is no such keyword; did you mean bits"):
        QuantNoise(net, "integer", bit=4)
    with pytest.raises(pm.InvalidArgumentError, match=r"layers: 'encoder' matches none of the 6 layers .* 'embed'"):
        QuantNoise(net, layers="encoder")
    with pytest.raises(pm.InvalidArgumentError, match=r"layers: '\(' is not a regular expression"):
        QuantNoise(net, layers="(")
    assert not net._forward_pre_hooks
    with torch.no_grad():
        net.out.weight[1, 2] = torch.nan
    with QuantNoise(net), pytest.raises(pm.InvalidArgumentError, match="layer 'out' has the value nan at 12"):
        net(tokens)


def make_steps(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with QuantNoise(model, "product", 0.5, block_size=4, refresh_steps=2, optimizer=optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()


def train_in_group(rank, folder, net, x, y, results):
    distributed = torch.distributed
    distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=2)
    make_steps(nn.parallel.DistributedDataParallel(net), x[rank::2], y[rank::2])
    results.put((rank, [parameter.detach().numpy() for parameter in net.parameters()]))
    distributed.destroy_process_group()


def test_processes_of_a_group_draw_the_same(tmp_path):
    """Two processes with half of a batch each make the steps of one with the whole batch."""
    net = nn.Sequential(nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 4))
    x, y = torch.randn(8, 16), torch.randn(8, 4)
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    ranks = [fork.Process(target=train_in_group, args=(rank, tmp_path, net, x, y, results)) for rank in range(2)]
    for process in ranks:
        process.start()
    trained = dict(results.get(timeout=60) for _ in ranks)
    for process in ranks:
        process.join(60)
        assert process.exitcode == 0
    make_steps(net, x, y)
    for first, second, alone in zip(trained[0], trained[1], net.parameters(), strict=True):
        assert np.array_equal(first, second)
        np.testing.assert_allclose(first, alone.detach(), rtol=1e-4, atol=1e-6)
