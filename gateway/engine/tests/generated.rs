//! The committed code for `bus.proto` is what prost makes of it: regenerated here and compared.

use std::path::Path;

#[test]
fn the_committed_records_are_what_bus_proto_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tempfile::tempdir().unwrap();
    let descriptors = protox::compile(["bus.proto"], [root.join("src/bus")]).unwrap();
    prost_build::Config::new()
        .out_dir(out.path())
        .type_attribute(".", "#[derive(serde::Serialize)]")
        .type_attribute("what", "#[serde(rename_all = \"snake_case\")]")
        .compile_fds(descriptors)
        .unwrap();
    let fresh = std::fs::read_to_string(out.path().join("yizhan.bus.v1.rs")).unwrap();
    let committed = root.join("src/bus/generated.rs");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&committed, &fresh).unwrap();
    }
    let held = std::fs::read_to_string(&committed).unwrap();
    assert!(
        held == fresh,
        "bus.proto and generated.rs differ: run UPDATE=1 cargo test -p yizhan-engine --test generated"
    );
}
