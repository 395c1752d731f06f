import pytest

from services.classifier.color.groups import group_of, kind_of


@pytest.mark.parametrize(
    ("product_type", "group"),
    [
        ("T-shirt", "top"),
        ("T Shirts", "top"),
        ("Dress shirt", "top"),
        ("Women's Sweat-Shirts", "top"),
        ("Shirt dress", "dress"),
        ("Maxi dress", "dress"),
        ("Tracksuits", "dress"),
        ("JEANS", "bottom"),
        ("Shorts with pockets", "bottom"),
        ("Skirts, pleated", "bottom"),
        ("Dress shoes", "shoes"),
        ("Flip-flops", "shoes"),
        ("Oxford shoe", "shoes"),
        ("Shoe rack", "other"),
        ("Boxing gloves", "other"),
        ("Camera bag strap", "other"),
        ("Sunglasses", "eyewear"),
        ("Sunglasses case", "other"),
        ("Wrist watches", "watch"),
        ("Watch strap", "other"),
        ("Sofa", "other"),
        ("", "other"),
        (None, "other"),
        ("椅子", "other"),
        ("-", "other"),
    ],
)
def test_a_type_tells_its_group(product_type: str | None, group: str) -> None:
    assert group_of(product_type) == group


def test_the_category_helps_where_the_type_tells_nothing() -> None:
    assert group_of("Oriana 2024", "Footwear") == "shoes"


def test_the_type_wins_over_the_category() -> None:
    assert group_of("Belt", "Bottomwear") == "other"


@pytest.mark.parametrize("product_type", ["Music album cover", "Books", "Poster", "Magazine"])
def test_some_products_are_pictures(product_type: str) -> None:
    assert kind_of(product_type).is_picture


def test_words_are_told_in_the_singular() -> None:
    assert kind_of("Sports Shoes").words == {"sport", "shoe"}
    assert not kind_of("Sports Shoes").is_picture
