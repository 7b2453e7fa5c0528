from ipaddress import ip_address, ip_network

import pytest

from app.core.addresses import (
    AddressKind,
    OutboundRefused,
    classify,
    is_allowed,
    parse_networks,
    refuse_forbidden,
    unwrap,
)
from app.core.errors import Invalid

METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"]


def refusal(address: str, *, host: str = "hook.test", allowed: str = "") -> str | None:
    try:
        refuse_forbidden(ip_address(address), host=host, allowed_private=parse_networks(allowed))
    except OutboundRefused as refused:
        return refused.message
    return None


class TestUnwrap:
    @pytest.mark.parametrize(
        ("address", "inside"),
        [
            ("127.0.0.1", ["127.0.0.1"]),
            ("::1", ["::1"]),
            ("::", ["::"]),
            ("::ffff:127.0.0.1", ["127.0.0.1"]),
            ("::127.0.0.1", ["127.0.0.1"]),
            ("64:ff9b::a9fe:a9fe", ["169.254.169.254"]),
            ("64:ff9b:1::a00:1", ["10.0.0.1", "64:ff9b:1::a00:1"]),
            ("2002:7f00:1::", ["127.0.0.1"]),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", ["65.54.227.120", "127.0.0.1"]),
            ("2a00:1450::5efe:7f00:1", ["2a00:1450::5efe:7f00:1", "127.0.0.1"]),
            ("2a00:1450::200:5efe:a00:1", ["2a00:1450::200:5efe:a00:1", "10.0.0.1"]),
            ("2002:808:808::5efe:a00:1", ["8.8.8.8", "10.0.0.1"]),
        ],
    )
    def test_names_every_machine_an_address_can_lead_to(self, address, inside):
        found = unwrap(ip_address(address))

        assert [str(end) for end in found] == inside


class TestClassify:
    @pytest.mark.parametrize(
        ("address", "kind"),
        [
            ("8.8.8.8", AddressKind.PUBLIC),
            ("2a00:1450:4001:800::200e", AddressKind.PUBLIC),
            ("127.8.9.1", AddressKind.LOOPBACK),
            ("0.0.0.0", AddressKind.UNSPECIFIED),
            ("224.0.0.1", AddressKind.MULTICAST),
            ("169.254.1.1", AddressKind.LINK_LOCAL),
            ("192.0.0.8", AddressKind.SPECIAL),
            ("192.88.99.1", AddressKind.SPECIAL),
            ("240.0.0.1", AddressKind.SPECIAL),
            ("100.64.0.1", AddressKind.PRIVATE),
            ("192.168.1.1", AddressKind.PRIVATE),
            ("fd12::1", AddressKind.PRIVATE),
            ("fec0::1", AddressKind.PRIVATE),
        ],
    )
    def test_says_what_an_address_is_for(self, address, kind):
        assert classify(ip_address(address)) is kind

    @pytest.mark.parametrize("address", METADATA)
    def test_knows_where_clouds_hand_out_credentials(self, address):
        assert classify(ip_address(address)) is AddressKind.METADATA


class TestPermission:
    @pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001:800::200e", "64:ff9b::808:808", "2002:808:808::1"])
    def test_public_addresses_need_none(self, address):
        assert refusal(address) is None

    def test_a_listed_network_opens_its_addresses_and_no_others(self):
        allowed = parse_networks("10.1.0.0/16")

        assert is_allowed(ip_address("10.1.2.3"), allowed)
        assert not is_allowed(ip_address("10.2.0.1"), allowed)

    def test_a_listed_network_also_opens_the_ipv6_forms_of_its_addresses(self):
        assert refusal("::ffff:10.1.2.3", allowed="10.1.0.0/16") is None

    @pytest.mark.parametrize("address", METADATA)
    def test_a_wide_network_does_not_open_the_metadata_inside_it(self, address):
        assert refusal(address, allowed="0.0.0.0/0, ::/0") is not None

    @pytest.mark.parametrize("address", METADATA)
    def test_metadata_opens_when_listed_exactly(self, address):
        assert refusal(address, allowed=address) is None

    @pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1"])
    def test_what_is_not_one_machine_never_opens(self, address):
        assert refusal(address, allowed=f"0.0.0.0/0, ::/0, {address}") is not None

    def test_a_local_nat64_address_needs_both_its_prefix_and_its_inside(self):
        inside_only = refusal("64:ff9b:1::a00:1", allowed="10.0.0.0/8")
        both = refusal("64:ff9b:1::a00:1", allowed="10.0.0.0/8, 64:ff9b:1::/48")

        assert inside_only is not None
        assert both is None


class TestWords:
    def test_name_the_address_the_host_and_the_setting(self):
        message = refusal("127.0.0.1", host="localhost")

        assert message == (
            "Requests to 127.0.0.1 are refused: that is this machine itself. localhost stands for that address. "
            "If it is meant, whoever operates this installation can list 127.0.0.1 in "
            "BELFRY_ALLOWED_PRIVATE_ADDRESSES."
        )

    def test_name_what_is_hidden_inside_an_address(self):
        message = refusal("64:ff9b::a9fe:a9fe")

        assert "(it leads to 169.254.169.254)" in message
        assert "lists exactly 169.254.169.254/32" in message

    def test_do_not_offer_a_setting_that_would_not_help(self):
        assert "BELFRY_ALLOWED_PRIVATE_ADDRESSES" not in refusal("224.0.0.1")


class TestParseNetworks:
    def test_reads_networks_and_single_addresses(self):
        found = parse_networks(" 10.1.0.0/16, 192.168.7.4\nfd00::/8 ::1,")

        assert found == tuple(map(ip_network, ["10.1.0.0/16", "192.168.7.4/32", "fd00::/8", "::1/128"]))

    def test_reads_an_empty_text_as_no_network(self):
        assert parse_networks("  ") == ()

    @pytest.mark.parametrize(
        "word", ["intranet", "300.1.1.1", "10.0.0.0/33", "10.0.0.1;", "1.2.3.4/", "127.1", "010.0.0.1"]
    )
    def test_names_the_word_it_cannot_read(self, word):
        with pytest.raises(Invalid, match="is not an address or a network") as raised:
            parse_networks(f"10.0.0.0/8, {word}")

        assert repr(word) in raised.value.message

    def test_refuses_a_network_with_a_machine_in_it_and_says_the_network(self):
        with pytest.raises(Invalid, match=r"The network is 10\.1\.0\.0/16"):
            parse_networks("10.1.2.3/16")

    def test_refuses_an_entry_that_would_never_match(self):
        with pytest.raises(Invalid, match="Write the IPv4 address itself"):
            parse_networks("::ffff:10.0.0.0/104")

    def test_refuses_a_network_interface(self):
        with pytest.raises(Invalid, match="names a network interface"):
            parse_networks("fe80::1%eth0")
