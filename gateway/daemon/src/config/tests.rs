use super::*;
use std::collections::BTreeSet;
use yizhan_codecs::device::REGISTER;

const EXAMPLE: &str = include_str!("../../../../gateway.example.toml");
const ROSTER: &str = include_str!("../../../../roster.example.toml");
const DEVICES: &str = include_str!("../../../../docs/devices.md");

fn refused(source: &str) -> (usize, String, String) {
    match Config::parse(Path::new("/box/gateway.toml"), source) {
        Err(error @ ConfigError::Value { .. }) => {
            assert!(error.label().contains("/box/gateway.toml"), "{}", error.label());
            let ConfigError::Value { line, key, what, .. } = error else { unreachable!() };
            (line, key, what)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_loads_and_its_paths_lie_beside_it() {
    let config = Config::parse(Path::new("/box/gateway.toml"), EXAMPLE).unwrap();
    assert_eq!(config.links.len(), 5);
    assert_eq!(config.journal.path, Path::new("/box/yizhan-data/journal.db"));
    assert_eq!(config.token_path(), Path::new("/box/yizhan-data/api.token"));
    let engine = config.for_engine().unwrap();
    assert_eq!(engine.links[0].period, Some(Duration::from_secs(60)));
}

#[test]
fn the_examples_values_are_the_defaults_it_names() {
    let example = Config::parse(Path::new("g"), EXAMPLE).unwrap().for_engine().unwrap();
    assert_eq!(format!("{:?}", example.policy), format!("{:?}", Policy::default()));
    let bare = Config::parse(Path::new("g"), "[station]\nnumber = 1").unwrap();
    let full = Config::parse(Path::new("g"), EXAMPLE).unwrap();
    assert_eq!(
        format!("{:?}", (&bare.journal, &bare.api, &bare.log)),
        format!("{:?}", (&full.journal, &full.api, &full.log))
    );
    assert_eq!(bare.capture.file_size, full.capture.file_size);
    assert_eq!(bare.capture.files, full.capture.files);
}

/// The keys that the schema knows for a table, as its own refusal of a wrong one lists them.
fn known_keys(refusal: &str) -> BTreeSet<String> {
    let listed = refusal.split("expected").nth(1).unwrap_or_else(|| panic!("no list in {refusal:?}"));
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_of_the_schema_stands_in_the_example() {
    let example: toml::Table = EXAMPLE.parse().unwrap();
    let station = "[station]\nnumber = 1\n";
    let link = "[[link]]\nname = \"l\"\ndevice = \"beidou\"\n";
    let tables = [
        ("", String::from("zz = 1\n") + station),
        ("station", format!("{station}zz = 1")),
        ("link", format!("{station}{link}zz = 1")),
        ("link.serial", format!("{station}{link}serial = {{ port = \"/dev/x\", zz = 1 }}")),
        ("link.udp", format!("{station}{link}udp = {{ bind = [], zz = 1 }}")),
        ("link.tcp", format!("{station}{link}tcp = {{ zz = 1 }}")),
        ("journal", format!("{station}[journal]\nzz = 1")),
        ("api", format!("{station}[api]\nzz = 1")),
        ("policy", format!("{station}[policy]\nzz = 1")),
        ("policy.life", format!("{station}[policy]\nlife = {{ zz = 1 }}")),
        ("policy.copies", format!("{station}[policy]\ncopies = {{ zz = 1 }}")),
        ("origin", format!("{station}[[origin]]\nnumber = 1\nlat = 1.0\nlon = 1.0\nzz = 1")),
        ("place", format!("{station}[[place]]\nnumber = 1\nname = \"a\"\nzz = 1")),
        ("log", format!("{station}[log]\nzz = 1")),
        ("capture", format!("{station}[capture]\nzz = 1")),
    ];
    for (table, source) in tables {
        let (_, key, what) = refused(&source);
        assert!(key.ends_with("zz"), "{table}: {key}");
        let keys = known_keys(&what);
        assert!(keys.len() > 1, "{table}: {what}");
        for key in keys {
            assert!(stands(&example, table, &key), "the example lacks {table} {key}");
        }
    }
}

/// Whether a key stands in a table of the example, in any one of an array of tables.
fn stands(example: &toml::Table, table: &str, key: &str) -> bool {
    let mut tables = vec![example.clone()];
    for step in table.split('.').filter(|step| !step.is_empty()) {
        let values = tables.iter().filter_map(|table| table.get(step));
        tables = values
            .flat_map(|value| match value {
                toml::Value::Table(table) => vec![table.clone()],
                toml::Value::Array(items) => items.iter().filter_map(|item| item.as_table().cloned()).collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    tables.iter().any(|table| table.contains_key(key))
}

#[test]
fn origins_and_places_reach_the_engine_and_a_wrong_one_is_named_with_its_line() {
    let station = "[station]\nnumber = 1\n";
    let origin = |number: u8, lat: &str| format!("[[origin]]\nnumber = {number}\nlat = {lat}\nlon = 104.08\n");
    let place = |number: u16, name: &str| format!("[[place]]\nnumber = {number}\nname = \"{name}\"\n");
    let both = [station.into(), origin(31, "30.65"), place(12, "青龙村")].concat();
    let area = Config::parse(Path::new("g"), &both).unwrap().for_engine().unwrap().area;
    assert_eq!(area.origins.get(&31).map(|origin| origin.place()), Some((306_500_000, 1_040_800_000)));
    assert_eq!(area.places.get(&12).map(String::as_str), Some("青龙村"));
    let wrongs = [
        (origin(32, "30.65"), 4, "origin[1].number"),
        (origin(1, "80.1"), 5, "origin[1].lat"),
        ([origin(1, "30.65"), origin(1, "31.0")].concat(), 8, "origin[2].number"),
        (place(0, "青龙村"), 4, "place[1].number"),
        (place(1, " "), 5, "place[1].name"),
        ([place(1, "青龙村"), place(2, "青龙村")].concat(), 8, "place[2].name"),
    ];
    for (wrong, line, key) in wrongs {
        let (found, named, what) = refused(&format!("{station}{wrong}"));
        assert_eq!((found, named.as_str()), (line, key), "{what}");
    }
}

#[test]
fn the_example_roster_is_whole() {
    let roster: yizhan_engine::people::Roster = toml::from_str(ROSTER).unwrap();
    roster.validate().unwrap();
    assert_eq!(roster.people.len(), 2);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_valid_ones() {
    let (line, key, what) = refused("[station]\nnumber = 1\n\n[api]\nlisen = \"127.0.0.1:1\"\n");
    assert_eq!((line, key.as_str()), (5, "api.lisen"));
    assert!(what.contains("`listen`"), "{what}");
}

#[test]
fn a_wrong_value_is_named_with_its_line_its_key_and_what_would_be_valid() {
    let (line, key, what) = refused("[station]\nnumber = 1\n[policy]\nremember = \"3 weeks\"\n");
    assert_eq!((line, key.as_str()), (4, "policy.remember"));
    assert!(what.contains("\"90s\""), "{what}");

    let (line, key, what) = refused("[station]\nnumber = 1024\n");
    assert_eq!((line, key.as_str()), (2, "station.number"));
    assert!(what.contains("1..=1023"), "{what}");

    let (line, key, what) = refused("[station]\nnumber = 1\nclock = \"gps\"\n");
    assert_eq!((line, key.as_str()), (3, "station.clock"));
    assert!(what.contains("`never`"), "{what}");
}

#[test]
fn what_is_wrong_with_a_link_names_which_link_and_which_key() {
    let links = "[station]\nnumber = 1\n\n[[link]]\nname = \"a\"\ndevice = \"beidou\"\nserial = { port = \"/dev/x\" }\n\n\
                 [[link]]\nname = \"b\"\n";
    let (line, key, what) = refused(&format!("{links}device = \"besdou\"\nserial = {{ port = \"/dev/y\" }}\n"));
    assert_eq!((line, key.as_str()), (11, "link[2].device"));
    assert!(what.contains("beidou"), "{what}");

    let (line, key, _) = refused(&format!("{links}device = \"beidou\"\nserial = {{ port = \"/dev/x\" }}\n"));
    assert_eq!((line, key.as_str()), (12, "link[2].serial.port"));

    let source = format!("{links}device = \"beidou\"\nserial = {{ port = \"/dev/y\" }}\nprofile = {{ zz = 1 }}\n");
    let (line, key, what) = refused(&source);
    assert_eq!((line, key.as_str()), (13, "link[2].profile.zz"));
    assert!(what.contains("keys of this device"), "{what}");

    let (_, key, what) = refused(&format!("{links}device = \"beidou\"\nudp = {{ bind = [\"127.0.0.1:0\"] }}\n"));
    assert_eq!(key, "link[2].udp.peers");
    assert!(what.contains("any_peer"), "{what}");
}

#[test]
fn listening_beyond_loopback_must_be_said_twice() {
    let source = "[station]\nnumber = 1\n[api]\nlisten = \"0.0.0.0:8470\"\n";
    let (line, key, what) = refused(source);
    assert_eq!((line, key.as_str()), (4, "api.listen"));
    assert!(what.contains("insecure_listen"), "{what}");
    assert!(Config::parse(Path::new("g"), &format!("{source}insecure_listen = true\n")).is_ok());
}

#[test]
fn broken_toml_and_a_missing_file_are_errors_of_their_own() {
    let error = Config::parse(Path::new("g.toml"), "[station]\nnumber = = 1\n").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { line: 2, .. }), "{error:?}");
    let error = Config::load(Path::new("/nonexistent/g.toml")).unwrap_err();
    assert!(error.label().contains("gateway.example.toml"), "{}", error.label());
}

#[test]
fn a_tcp_link_says_who_calls_whom_and_nothing_else_beside_it() {
    let with = |port: &str| format!("[station]\nnumber = 1\n[[link]]\nname = \"m\"\ndevice = \"beidou\"\n{port}\n");
    let refused_key = |port: &str| refused(&with(port)).1;
    assert_eq!(refused_key("tcp = {}"), "link[1].tcp.connect");
    assert_eq!(refused_key("tcp = { connect = \"radio\" }"), "link[1].tcp.connect");
    assert_eq!(refused_key("tcp = { listen = \"127.0.0.1:0\" }"), "link[1].tcp.peers");
    assert_eq!(refused_key("tcp = { connect = \"a:1\", peers = [\"10.0.0.1\"] }"), "link[1].tcp.peers");
    let both = "tcp = { connect = \"a:1\" }\nserial = { port = \"/dev/x\" }";
    let (_, key, what) = refused(&with(both));
    assert_eq!(key, "link[1].tcp");
    assert!(what.contains("exactly one"), "{what}");
    assert!(Config::parse(Path::new("g"), &with("tcp = { connect = \"mesh.local:4403\" }")).is_ok());
}

#[test]
fn a_group_says_what_it_is_and_what_belongs_to_it() {
    let with = |more: &str| {
        let udp = format!("udp = {{ bind = [\"0.0.0.0:4403\"], any_peer = true, {more} }}");
        format!("[station]\nnumber = 1\n[[link]]\nname = \"m\"\ndevice = \"beidou\"\n{udp}\n")
    };
    let refused_key = |more: &str| refused(&with(more)).1;
    assert_eq!(refused_key("multicast = [\"10.0.0.1\"]"), "link[1].udp.multicast");
    assert_eq!(refused_key("interface = \"10.0.0.1\""), "link[1].udp.interface");
    assert_eq!(refused_key("loopback = true"), "link[1].udp.loopback");
    assert_eq!(refused_key("multicast = [\"224.0.0.69\"], ttl = 0"), "link[1].udp.ttl");
    assert!(Config::parse(Path::new("g"), &with("multicast = [\"224.0.0.69\"], ttl = 2")).is_ok());
    let six = with("multicast = [\"224.0.0.69\"]").replace("0.0.0.0:4403", "[::]:4403");
    assert_eq!(refused(&six).1, "link[1].udp.bind");
}

#[test]
fn a_link_between_stations_is_accepted_over_udp_and_its_profile_is_read() {
    let with = |profile: &str| {
        let udp = "udp = { bind = [\"0.0.0.0:4710\"], peers = [\"10.0.0.2:4710\", \"[fd00::2]:4710\"] }";
        format!(
            "[station]\nnumber = 1\n[[link]]\nname = \"ip-1\"\ndevice = \"air-udp\"\n{udp}\nprofile = {{ {profile} }}\n"
        )
    };
    for profile in ["", "mtu = 200, pace_ms = 5000, group = \"239.20.0.2:4710\""] {
        assert!(Config::parse(Path::new("g"), &with(profile)).is_ok(), "{profile}");
    }
    assert_eq!(refused(&with("mtu = 1751")).1, "link[1].profile.mtu");
    assert_eq!(refused(&with("group = \"10.0.0.2:4710\"")).1, "link[1].profile.group");
}

/// The blocks of toml in docs/devices.md, with the heading each stands under.
fn blocks_of_the_page() -> Vec<(String, String)> {
    let (mut heading, mut blocks, mut block) = (String::new(), Vec::new(), None::<String>);
    for line in DEVICES.lines() {
        match (&mut block, line) {
            (None, "```toml") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take().map(|text| (heading.clone(), text))),
            (Some(text), line) => *text += &format!("{line}\n"),
            (None, line) => heading = line.strip_prefix("## ").map_or(heading, str::to_owned),
        }
    }
    blocks
}

#[test]
fn every_link_of_the_devices_page_is_accepted_and_every_device_of_its_table_has_one() {
    let station = "[station]\nnumber = 1\n";
    let mut shown = BTreeSet::new();
    for (heading, block) in blocks_of_the_page() {
        let config = Config::parse(Path::new("g"), &format!("{station}{block}"));
        let config = config.unwrap_or_else(|error| panic!("{heading}: {}", error.label()));
        assert!(!config.links.is_empty(), "{heading}: a whole link");
        for link in config.links {
            assert_eq!(link.device, heading, "a block stands under its device");
            shown.insert(link.device);
        }
        let altered =
            block.replacen("profile = {", "profile = { zz = 1,", 1).replacen("device = \"", "device = \"zz", 1);
        assert!(Config::parse(Path::new("g"), &format!("{station}{altered}")).is_err(), "{heading}: read, not skipped");
    }
    let without: Vec<_> =
        rows_of_the_page().into_iter().map(|(device, _)| device).filter(|d| !shown.contains(d)).collect();
    assert!(without.is_empty(), "docs/devices.md: no section with a whole link for {without:?}");
}

/// Device and bearer of each row of the table in docs/devices.md.
fn rows_of_the_page() -> Vec<(String, String)> {
    let rows = DEVICES.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned());
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    })
    .collect()
}

#[test]
fn the_devices_page_has_a_row_and_a_section_for_every_registered_device_and_for_no_other() {
    let rows = rows_of_the_page();
    let registered: Vec<_> =
        REGISTER.iter().map(|device| (device.name.to_owned(), device.bearer.name().to_owned())).collect();
    let missing: Vec<_> = registered.iter().filter(|device| !rows.contains(device)).collect();
    assert!(missing.is_empty(), "docs/devices.md: no row of this device and bearer: {missing:?}");
    let unknown: Vec<_> = rows.iter().filter(|row| !registered.contains(row)).collect();
    assert!(unknown.is_empty(), "docs/devices.md: rows of no registered device: {unknown:?}");
    let sections: Vec<_> = DEVICES.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let order: Vec<_> = rows.iter().map(|(device, _)| device.as_str()).collect();
    assert_eq!(sections, order, "docs/devices.md: one section a row, in the order of the rows");
    let bearers: BTreeSet<_> = rows.iter().map(|(_, bearer)| bearer).collect();
    let groups = rows.chunk_by(|(_, one), (_, next)| one == next).count();
    assert_eq!(groups, bearers.len(), "docs/devices.md: rows of one bearer stand together");
}
