"""A mapping renames columns to fields, and says with its line what it cannot mean."""

import pytest

from agents.mapping import CsvMapping, MappingFile, check_header, ignored, mapping_of, values_from_row
from agents.yamlfile import fit_all, read_text
from schemas.errors import ConfigError, InvalidRecord

OFFICE_LOG = """\
delimiter: ";"
times: {format: yyyyMMddHHmmss, zone: Asia/Ho_Chi_Minh}
ignore: {TrangThai: [NHAP]}
events:
  - name: change
    fields:
      dossier_code: {column: MaHoSo}
      procedure_code: "1.004441"
      processing_unit: {column: DonVi, values: {PTN01: H26.01, PTN02: H26.02, KHAC: null}}
      status: {column: TrangThai, values: {TIEPNHAN: 2, XONG: 9}}
      at: {column: ThoiDiem}
      due: {column: NgayHenTra, format: dd/MM/yyyy}
      limit.value: {column: SoNgay}
      limit.unit: working_day
      sequence: {column: STT}
  - name: letter
    when: {ThuXinLoi: present, TrangThai: [XONG]}
    fields: {kind: letter, letter: apology, dossier_code: {column: MaHoSo}, at: {column: ThuXinLoi}}
"""

ROW = {
    "MaHoSo": "H26-260302-0001",
    "DonVi": "PTN01",
    "TrangThai": "TIEPNHAN",
    "ThoiDiem": "20260302090000",
    "NgayHenTra": "09/03/2026",
    "SoNgay": "5",
    "STT": "7",
    "ThuXinLoi": "",
}


def mapping(text: str = OFFICE_LOG) -> CsvMapping:
    return mapping_of(read_text(text, "mapping.yaml"))


def faults(text: str) -> list[str]:
    return [f"{f.line}: {f.message}" for f in fit_all(read_text(text, "m.yaml"), MappingFile)[1]]


def events(**cells: str) -> list[tuple[str, dict[str, object]]]:
    return [(rule.name, values) for rule, values in values_from_row({**ROW, **cells}, mapping())]


def refusal(**cells: str) -> tuple[str, str]:
    with pytest.raises(InvalidRecord) as caught:
        events(**cells)
    return caught.value.reason, caught.value.message


def test_a_row_becomes_an_event_with_its_values_its_local_times_and_its_numbers() -> None:
    assert events() == [
        (
            "change",
            {
                "dossier_code": "H26-260302-0001",
                "procedure_code": "1.004441",
                "processing_unit": "H26.01",
                "status": 2,
                "at": "2026-03-02T09:00:00+07:00",
                "due": "2026-03-09T00:00:00+07:00",
                "limit": {"value": 5.0, "unit": "working_day"},
                "sequence": 7,
            },
        )
    ]


def test_an_empty_cell_and_a_value_mapped_to_null_leave_the_field_out() -> None:
    ((_, values),) = events(NgayHenTra="", DonVi="KHAC")
    assert not {"due", "processing_unit"} & set(values)


def test_a_row_makes_each_event_whose_conditions_all_hold() -> None:
    both = events(TrangThai="XONG", ThuXinLoi="20260308080000")
    assert [name for name, _ in both] == ["change", "letter"]
    assert both[1][1]["at"] == "2026-03-08T08:00:00+07:00"
    assert [name for name, _ in events(ThuXinLoi="20260308080000")] == ["change"]


def test_a_value_that_the_mapping_does_not_name_is_refused_and_not_repeated() -> None:
    assert refusal(DonVi="Nguyễn Văn A") == (
        "unmapped_value",
        'the column "DonVi" has a value that "values" does not name',
    )


def test_a_number_that_is_none_is_left_for_the_schema_to_refuse() -> None:
    ((_, values),) = events(STT="seven", SoNgay="5,5")
    assert (values["sequence"], values["limit"]) == ("seven", {"value": "5,5", "unit": "working_day"})


def test_ignored_rows_are_those_that_the_mapping_names() -> None:
    assert ignored({**ROW, "TrangThai": "NHAP"}, mapping())
    assert not ignored(ROW, mapping())


def test_absent_is_a_condition_too() -> None:
    text = OFFICE_LOG.replace("ThuXinLoi: present, TrangThai: [XONG]", "NgayHenTra: absent")
    assert len(list(values_from_row({**ROW, "NgayHenTra": ""}, mapping(text)))) == 2
    assert len(list(values_from_row(ROW, mapping(text)))) == 1


def test_a_column_that_the_table_has_not_is_named_with_the_line_of_the_mapping() -> None:
    header = [name for name in ROW if name != "NgayHenTra"]
    with pytest.raises(ConfigError, match=r'^mapping\.yaml:12: the table has no column "NgayHenTra"; it has: MaHoSo'):
        check_header(mapping(), header)
    with pytest.raises(ConfigError, match=r'^mapping\.yaml:17: the table has no column "ThuXinLoi"'):
        check_header(mapping(), [name for name in ROW if name != "ThuXinLoi"])


def test_a_header_that_names_a_column_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match='the column "STT" stands twice'):
        check_header(mapping(), [*ROW, "STT"])


def test_faults_of_a_mapping_have_their_lines() -> None:
    text = """\
times: {format: yyyyMM, zone: Asia/Ho_Chi_Minh}
events:
  - name: change
    when: {a: sometimes}
    fields:
      dossier_code: {colum: MaHoSo}
      satus: 2
      at: {column: x, zone: Asia/Hanoi}
      due: [x]
"""
    found = faults(text)
    assert [fault.split(":")[0] for fault in found] == ["1", "4", "6", "6", "7", "8", "9"]
    assert found[0] == '1: times: "yyyyMM" is no format; write iso, or yyyy, MM, dd, HH, mm, ss, SSS once each'
    assert found[1] == "4: a: write 'present' or 'absent'"
    assert '6: "colum" is no key here; write one of: column, values, format, zone' in found
    assert found[4].startswith("7: satus: write 'event_id', 'kind', 'dossier_code'")
    assert found[5] == '8: at: "Asia/Hanoi" is no zone; write a name such as Asia/Ho_Chi_Minh'


def test_a_mapping_without_events_or_without_the_fields_every_event_has_is_refused() -> None:
    assert faults("events: []") == ["1: events is empty; write at least one"]
    (said,) = faults("events:\n  - name: x\n    fields: {at: {column: a}}")
    assert said.endswith("fields has no dossier_code")
