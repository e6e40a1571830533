import pytest

from provisioning.audit.checkpoint import Checkpoint, TreeHead
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.note import Signature, SignatureState, SignerKey
from provisioning.audit.tree import Frontier
from tests.unit.audit.published import LEAVES, ROOTS

LOG = SignerKey("audit.example/log", bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", bytes(range(1, 33)))
FRONTIER = Frontier().extend(LEAVES)
ROOT = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
TEXT = f"audit.example/log\n8\n{ROOT}\n"

# The example of c2sp.org/tlog-checkpoint.
PUBLISHED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""


class TestTreeHead:
    def test_its_text_is_origin_size_and_root(self) -> None:
        assert TreeHead("audit.example/log", 8, ROOTS[8]).text == TEXT

    def test_extensions_follow_the_root(self) -> None:
        head = TreeHead("audit.example/log", 8, ROOTS[8], ("more", "and more"))
        assert head.text == TEXT + "more\nand more\n"
        assert TreeHead.parse(head.text) == head

    def test_an_empty_log_has_a_head(self) -> None:
        assert TreeHead.parse(TreeHead("audit.example/log", 0, ROOTS[0]).text).size == 0

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            pytest.param("", None, id="nothing"),
            pytest.param("audit.example/log\n8\n", None, id="no root"),
            pytest.param(TEXT.removesuffix("\n"), None, id="no newline"),
            pytest.param(f"\n8\n{ROOT}\n", 1, id="no origin"),
            pytest.param(TEXT.replace("\n8\n", "\n08\n"), 2, id="a leading zero"),
            pytest.param(TEXT.replace("\n8\n", "\n-8\n"), 2, id="a sign"),
            pytest.param(TEXT.replace("\n8\n", "\n8 \n"), 2, id="a blank"),
            pytest.param(TEXT.replace("\n8\n", "\n\u0668\n"), 2, id="a digit of another script"),
            pytest.param(TEXT.replace("\n8\n", "\n" + "9" * 20 + "\n"), 2, id="more than any log"),
            pytest.param(TEXT.replace(ROOT, ROOT[:-4]), 3, id="a short root"),
            pytest.param(TEXT.replace(ROOT, ROOT[:-2] + "h="), 3, id="stray bits"),
            pytest.param(TEXT + "\nmore\n", 4, id="an empty extension"),
        ],
    )
    def test_another_text_is_refused_with_its_line(self, text: str, line: int | None) -> None:
        with pytest.raises(AuditFormatError) as refusal:
            TreeHead.parse(text)
        assert refusal.value.line == line

    @pytest.mark.parametrize("origin", ["", "two\nlines"])
    def test_an_origin_that_would_frame_another_head_is_refused(self, origin: str) -> None:
        with pytest.raises(AuditFormatError, match="origin"):
            TreeHead(origin, 8, ROOTS[8])


class TestCheckpoint:
    def test_the_published_example_reads_and_writes(self) -> None:
        checkpoint = Checkpoint.parse(PUBLISHED)
        assert (checkpoint.head.origin, checkpoint.head.size) == ("example.com/behind-the-sofa", 20852163)
        assert str(checkpoint) == PUBLISHED

    def test_what_the_log_signs_verifies(self) -> None:
        checkpoint = Checkpoint.parse(str(Checkpoint.sign("audit.example/log", FRONTIER, LOG)))
        assert checkpoint.head == TreeHead("audit.example/log", 8, ROOTS[8])
        assert checkpoint.state_of(LOG.verifier) is SignatureState.VALID

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(("\n8\n", "\n9\n"), id="size"),
            pytest.param(("audit.example/log\n8", "audit.example/fork\n8"), id="origin"),
            pytest.param((ROOT, "A" * 43 + "="), id="root"),
            pytest.param((ROOT, ROOT + "\nmore"), id="extension"),
        ],
    )
    def test_the_signature_binds_every_line(self, change: tuple[str, str]) -> None:
        text = str(Checkpoint.sign("audit.example/log", FRONTIER, LOG)).replace(*change)
        assert Checkpoint.parse(text).state_of(LOG.verifier) is SignatureState.INVALID

    def test_witnesses_are_kept_beside_the_log(self) -> None:
        checkpoint = Checkpoint.sign("audit.example/log", FRONTIER, LOG)
        cosignature = Signature("witness.example/w2", b"abcd", bytes(72))
        witnessed = checkpoint.with_signatures(WITNESS.sign(checkpoint.head.text), cosignature)
        read = Checkpoint.parse(str(witnessed))
        assert read == witnessed
        assert read.state_of(LOG.verifier) is read.state_of(WITNESS.verifier) is SignatureState.VALID
        assert read.signatures[2] == cosignature

    def test_a_checkpoint_without_signatures_is_none(self) -> None:
        with pytest.raises(AuditFormatError):
            Checkpoint.parse(TEXT)
