"""DUO's address files with everything that is odd about them. The rows are invented, the layouts are not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import InputError
from provisioning.domain.tenancy import Organisation, OrganisationKind
from provisioning.intake.problems import FileRefusedError
from provisioning.intake.registers import Register, main_domain, parse_registers

ON = date(2026, 9, 1)
OLD = (
    "PROVINCIE;BEVOEGD GEZAG NUMMER;BRIN NUMMER;VESTIGINGSNUMMER;VESTIGINGSNAAM ;PLAATSNAAM;"
    "TELEFOONNUMMER;INTERNETADRES"
)
NEW = (
    "PROVINCIE,BEVOEGD GEZAG NUMMER,INSTELLINGSCODE,VESTIGINGSCODE,VESTIGINGSNAAM,PLAATSNAAM,"
    "TELEFOONNUMMER,INTERNETADRES"
)
OLD_ROWS = (
    "Utrecht;40001;00XX;00XX00;De Linde;'T ZAND;;  www.linde.example \nUtrecht;40001;00XX;00XX02;De Linde;BUNNIK;;"
)
BOARDS = (
    "BEVOEGD GEZAG NUMMER;BEVOEGD GEZAG NAAM;PLAATSNAAM;INTERNETADRES;KVK-NUMMER\n"
    "40001;Stichting De Bomen;UTRECHT;http://bomen.example/start;1234567"
)
SCHOOLS = (
    "BEVOEGD GEZAG NUMMER;INSTELLINGSCODE;INSTELLINGSNAAM;PLAATSNAAM;INTERNETADRES\n"
    "40001;00XX;Basisschool De Linde;ZAND;\n40001;01XX;De Beuk;ZEIST;"
)


def parse(*files: str | bytes) -> Register:
    named = [(f"file{n}.csv", f if isinstance(f, bytes) else f.encode()) for n, f in enumerate(files)]
    return parse_registers(named, ON)


def by_id(register: Register) -> dict[str, Organisation]:
    return {str(one.organisation_id): one for one in register.organisations}


class TestLocations:
    def test_become_schools_locations_and_their_board(self) -> None:
        found = by_id(parse(f"{OLD}\n{OLD_ROWS}"))
        kinds = {code: one.kind for code, one in found.items()}
        assert kinds == {
            "00XX00": OrganisationKind.SCHOOL,
            "00XX02": OrganisationKind.LOCATION,
            "40001": OrganisationKind.BOARD,
        }
        school = found["00XX00"]
        assert (school.name, school.town, school.web_domain) == ("De Linde", "'T ZAND", "linde.example")
        assert school.board_number == "40001"

    def test_belong_to_their_board_from_the_day_of_the_register(self) -> None:
        relations = parse(f"{OLD}\n{OLD_ROWS}").relations
        assert {(one.parent_id, one.child_id, one.valid_from) for one in relations} == {
            ("40001", "00XX00", ON),
            ("40001", "00XX02", ON),
        }

    @pytest.mark.parametrize(
        "header",
        [
            OLD,
            NEW.replace(",", ";"),
            OLD.replace("BRIN NUMMER", "BRINNUMMER"),
            OLD.replace("BRIN NUMMER", "BRIN_NUMMER"),
            OLD.replace("VESTIGINGSNUMMER", "VESTIGINSNUMMER"),
            OLD.lower(),
        ],
    )
    def test_every_spelling_of_the_header_is_understood(self, header: str) -> None:
        assert parse(f"{header}\n{OLD_ROWS}") == parse(f"{OLD}\n{OLD_ROWS}")

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(f"{NEW}\r\n{OLD_ROWS.replace(';', ',')}\r\n".encode(), id="commas and CRLF"),
            pytest.param(("\ufeff" + f"{OLD}\n{OLD_ROWS}").encode(), id="UTF-8 with its mark"),
            pytest.param(f"{OLD}\n{OLD_ROWS}\n;;;;;;;\n\n".encode(), id="empty rows at the end"),
            pytest.param(f"{OLD}\n{OLD_ROWS.replace('00XX;00XX0', '00XX;0')}".encode(), id="two-digit locations"),
            pytest.param(f"{OLD}\n{OLD_ROWS.replace(';40001', ';  40001 ')}".encode(), id="padded values"),
            pytest.param(f"{OLD}\n{OLD_ROWS.replace('Utrecht', '<5')}".encode(), id="masked numbers elsewhere"),
        ],
    )
    def test_every_year_of_the_file_is_understood(self, content: bytes) -> None:
        assert parse(content) == parse(f"{OLD}\n{OLD_ROWS}")

    def test_windows_1252_is_read_as_such(self) -> None:
        rows = OLD_ROWS.replace("De Linde", "Sint André")
        found = by_id(parse(f"{OLD}\n{rows}".encode("cp1252")))
        assert found["00XX00"].name == "Sint André"

    def test_lost_leading_zeros_come_back(self) -> None:
        found = by_id(parse(f"{OLD}\nU;123;1XX;1XX00;De Es;ZEIST;;".replace("1XX00", "00")))
        assert set(found) == {"00123", "01XX00"}

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ("U;40001;ABCD;00;X;Y;;", "line 2, INSTELLINGSCODE: 'ABCD' is no school code"),
            ("U;<5;00XX;00;X;Y;;", "line 2, BEVOEGD GEZAG NUMMER: '000<5' is no board number"),
            ("U;40001;00XX;01XX00;X;Y;;", "line 2, VESTIGINGSCODE: '01XX00' is no location of 00XX"),
            ("U;40001;00XX", "line 2: 3 cells where the header has 8"),
        ],
    )
    def test_a_wrong_row_refuses_the_file_and_is_told(self, row: str, told: str) -> None:
        with pytest.raises(FileRefusedError) as refused:
            parse(f"{OLD}\n{row}")
        assert told in str(refused.value)


class TestSeveralFiles:
    def test_the_board_gets_its_name_from_its_own_file_in_whatever_order(self) -> None:
        locations = f"{OLD}\n{OLD_ROWS}"
        assert parse(BOARDS, locations, SCHOOLS) == parse(SCHOOLS, locations, BOARDS)
        board = by_id(parse(locations, BOARDS))["40001"]
        assert (board.name, board.web_domain, board.kind) == (
            "Stichting De Bomen",
            "bomen.example",
            OrganisationKind.BOARD,
        )

    def test_an_institution_stands_for_its_main_location(self) -> None:
        found = by_id(parse(SCHOOLS))
        assert found["00XX00"].name == "Basisschool De Linde"
        assert found["01XX00"].kind is OrganisationKind.SCHOOL

    def test_the_row_of_the_location_outranks_that_of_the_institution(self) -> None:
        assert by_id(parse(SCHOOLS, f"{OLD}\n{OLD_ROWS}"))["00XX00"].name == "De Linde"

    def test_another_file_is_refused_by_name(self) -> None:
        with pytest.raises(InputError, match=r"file0\.csv, line 1: no address file of DUO"):
            parse("order_number,quantity\n1,2")

    def test_no_telephone_number_and_no_person_is_kept(self) -> None:
        register = parse(f"{OLD}\n{OLD_ROWS.replace(';;', ';030-1234567;')}")
        assert "1234567" not in repr(register)


class TestMainDomain:
    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("  WWW.School.example  ", "school.example"),
            ("https://school.example/start?x=1", "school.example"),
            ("school.example:8080", "school.example"),
            ("", None),
            ("geen", None),
            ("info at school", None),
        ],
    )
    def test_is_the_domain_or_nothing(self, address: str, expected: str | None) -> None:
        assert main_domain(address) == expected


class TestRoundTrip:
    @given(
        st.lists(
            st.tuples(
                st.from_regex(r"[1-9][0-9]{4}", fullmatch=True),
                st.from_regex(r"[0-9]{2}[A-Z]{2}", fullmatch=True),
                st.integers(0, 99),
            ),
            min_size=1,
            max_size=12,
            unique_by=lambda row: (row[1], row[2]),
        )
    )
    def test_every_location_written_is_read_whatever_the_layout(self, rows: list[tuple[str, str, int]]) -> None:
        old = [f"U;{board};{school};{school}{number:02d};N;T;;" for board, school, number in rows]
        new = [f"U,{board},{school},{number:02d},N,T,," for board, school, number in rows]
        one, other = parse("\n".join([OLD, *old])), parse("\n".join([NEW, *new]))
        assert one == other
        codes = {f"{school}{number:02d}" for _, school, number in rows}
        assert {str(each.child_id) for each in one.relations} == codes
