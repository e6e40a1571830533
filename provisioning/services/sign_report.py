"""A report of a calibration leaves the house signed: with the public key anybody sees that it was not changed."""

from provisioning.audit.note import Note, SignatureState, SignerKey, VerifierKey
from provisioning.domain.errors import InputError
from provisioning.planning.calibration import Report, read_report, spelled


def sign_report(report: Report, signer: SignerKey) -> str:
    """The report as a signed note, with the key that signs the audit log."""
    text = spelled(report)
    return str(Note(text, (signer.sign(text),)))


def verify_report(note: str, key: str) -> Report:
    """The report in a signed note; raises InputError when this key did not sign this text."""
    signed, verifier = Note.parse(note), VerifierKey.parse(key.strip())
    match signed.state_of(verifier):
        case SignatureState.VALID:
            return read_report(signed.text)
        case SignatureState.ABSENT:
            raise InputError(f"The report is not signed by {verifier.name}.")
    raise InputError("The report was changed after it was signed.")
