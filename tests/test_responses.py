import polars as pl
import pytest
from trayport_api.models import Trade
from trayport_api.types import UNSET

from trayport_sdk import TradesResponse, TrayportValidationError

FRAME = pl.DataFrame(
    {
        "trade_id": ["a", "b", "c"],
        "venue_code": ["EEX7", "ICE", "NEW1"],
        "deal_date": pl.Series([1, 2, 1709546523123456789]).cast(pl.Datetime("ns", "UTC")),
        "price": [26.475, -1.5, 0.1],
        "quantity": [5.0, 1.25, 10.0],
        "aggressor_buy": [True, False, True],
        "route": ["Direct", None, "Direct"],
    }
)
TRADES = TradesResponse(FRAME, [])


def test_models_are_made_with_exact_integers_and_what_did_not_come_is_unset() -> None:
    assert list(TRADES)[2] == Trade(
        "c", "NEW1", 1709546523123456789, 0.1, 10.0, True, route="Direct"
    )
    assert TRADES[1].route is UNSET
    assert repr(TRADES[1].route) == "UNSET"


@pytest.mark.parametrize("place", [0, 1, 2, -1, -3])
def test_an_index_gives_the_model_of_its_row(place: int) -> None:
    assert TRADES[place] == list(TRADES)[place]


@pytest.mark.parametrize("place", [3, -4])
def test_an_index_beyond_the_table_is_an_index_error(place: int) -> None:
    with pytest.raises(IndexError, match="table of 3 rows"):
        TRADES[place]


def test_a_slice_is_a_table_of_its_own() -> None:
    part = TRADES[1:]
    assert type(part) is TradesResponse
    assert list(part) == list(TRADES)[1:]
    assert len(TRADES) == 3


def test_a_polars_frame_is_handed_over_without_a_copy() -> None:
    assert TRADES.to_polars() is FRAME
    assert TRADES.to_dataframe() is FRAME


def test_pandas_keeps_every_nanosecond_and_price() -> None:
    frame = TRADES.to_dataframe("pandas")
    assert str(frame["deal_date"].dtype) == "datetime64[ns, UTC]"
    assert [stamp.value for stamp in frame["deal_date"]] == [1, 2, 1709546523123456789]
    assert list(frame["price"]) == [26.475, -1.5, 0.1]


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(TrayportValidationError, match="'arrow'"):
        TRADES.to_dataframe("arrow")  # type: ignore[call-overload]


def test_a_notebook_shows_the_table_and_how_it_was_made() -> None:
    shown = TRADES._repr_html_()
    assert "3 rows from 0 requests" in shown
    assert "venue_code" in shown
