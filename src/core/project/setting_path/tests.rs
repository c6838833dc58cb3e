use super::*;

const PROJECT: &str = r#"
format = 1
[data]
augment = ["hflip"]
[network]
input = "3x32x32"
encoder = ["conv 24 k3 p1", "relu", { repeat = 2, layers = ["conv 8 k3", "relu"] }, { add = [["conv 8 k1"], []] }]
head = "flatten, dense 10"
[[stage]]
name = "a"
optimizer = "sgd lr=0.1 momentum=0.9"
"#;

fn changed(change: impl FnOnce(&mut Table) -> Result<(), String>) -> Result<String, String> {
    let mut table: Table = toml::from_str(PROJECT).unwrap();
    change(&mut table)?;
    Ok(toml::to_string(&table).unwrap())
}

#[test]
fn attributes_of_layers_are_settings() {
    for (path, value, part) in [
        ("encoder.0.out_channels", "5", "\"conv 5 k3 p1\""),
        ("network.encoder.0.kernel", "8", "\"conv 24 k8 p1\""),
        ("encoder.0.padding", "same", "\"conv 24 k3 same\""),
        ("encoder.0.bias", "false", "\"conv 24 k3 p1 nobias\""),
        ("encoder.2.repeat", "3", "repeat = 3"),
        ("encoder.2.layers.0.filters", "4", "\"conv 4 k3\""),
        ("encoder.2.0.0.filters", "4", "\"conv 4 k3\""),
        ("encoder.3.0.0.stride", "2", "\"conv 8 k1 s2\""),
        ("encoder.3.add.0.0.stride", "2", "\"conv 8 k1 s2\""),
        ("head.1.units", "7", "\"dense 7\""),
        ("encoder.1", "tanh", "\"tanh\""),
    ] {
        let text = changed(|table| put(table, path, value)).unwrap();
        assert!(text.contains(part), "{path}: {text}");
    }
    for (path, value, part) in [
        (
            "encoder.0.units",
            "5",
            "has no `units`: it has out_channels, kernel_size",
        ),
        ("encoder.1.kernel", "5", "nor anything else to set"),
        ("encoder.0.kernel", "x", "kx"),
        ("encoder.2.1.0.kernel", "3", "no branch `1`"),
        ("encoder.9.kernel", "3", "no entry `9`"),
    ] {
        let error = changed(|table| put(table, path, value)).unwrap_err();
        assert!(error.contains(part), "{path}: {error}");
    }
}

#[test]
fn a_switch_takes_out_or_leaves() {
    let text = changed(|table| switch(table, "data.augment", false)).unwrap();
    assert!(!text.contains("hflip"), "{text}");
    let text = changed(|table| switch(table, "data.augment", true)).unwrap();
    assert!(text.contains("hflip"), "{text}");
    let text = changed(|table| switch(table, "stage.a.nesterov", true)).unwrap();
    assert!(text.contains("momentum=0.9 nesterov"), "{text}");
    let text = changed(|table| switch(table, "encoder.0.bias", false)).unwrap();
    assert!(text.contains("conv 24 k3 p1 nobias"), "{text}");
    changed(|table| switch(table, "stage.0.schedule", false)).unwrap();
    let error = changed(|table| switch(table, "stage.0.schedule", true)).unwrap_err();
    assert!(error.contains("to switch on"), "{error}");
}
