//! The images that a layer finds alike: neighbours and maps, the same in the terminal and in the window.

use crate::kit::runs::{completed, options, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers};
use std::path::Path;
use std::time::Duration;
use strata::app::action::Action;
use strata::app::choices::Choice;
use strata::app::view_kind::ViewKind;
use strata::gui::panels::compared::Compared;
use strata::gui::panels::embedding::MapChoice;
use strata::gui::panels::neighbours::NeighbourChoice;
use strata::inspect::embedding::{By, Embedding, How};
use strata::inspect::neighbours::{Metric, Neighbours};
use strata::project::data::Split;

/// A run of the small classifier in `run`.
fn trained(folder: &Path) {
    completed(train(&classifier(), &options(&folder.join("run"))).0);
}

#[test]
fn neighbours_are_in_the_terminal_with_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let ask = ["inspect", "run", "neighbours", "--json"];
    let more = ["--index", "3", "--numbers", "far.csv", "-o", "near.png"];
    let found = json(&strata(at, &[&ask[..], &more].concat()));
    assert_eq!(
        (&found["image"], &found["metric"]),
        (&3.into(), &"euclidean".into())
    );
    assert_eq!(
        (&found["split"], &found["of"]),
        (&"test".into(), &64.into())
    );
    for by in ["by_pixels", "by_features"] {
        let near = found[by].as_array().unwrap();
        let far: Vec<f64> = near
            .iter()
            .map(|near| near["distance"].as_f64().unwrap())
            .collect();
        assert_eq!(far.len(), 10);
        assert!(far.is_sorted(), "{far:?}");
        assert!(
            near.iter().all(|near| near["image"] != 3),
            "{by}: not itself"
        );
    }
    assert!(image::open(at.join("near.png")).is_ok());
    // The table holds the distance to every image; the nearest but itself are those of the list.
    let table = std::fs::read_to_string(at.join("far.csv")).unwrap();
    let mut row: Vec<(f64, usize)> = table
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .skip(1)
        .map(|cell| cell.parse().unwrap())
        .zip(0..)
        .collect();
    assert_eq!((row.len(), row[3].0), (64, 0.0));
    row.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(found["by_pixels"][0]["image"], row[1].1);
    let knn = &found["knn"];
    assert_eq!(
        (&knn["k"], &knn["images"], &knn["split"]),
        (&5.into(), &64.into(), &"test".into())
    );
    let share = knn["features"].as_f64().unwrap();
    assert!(
        (0.0..=1.0).contains(&share) && (share * 64.0).fract() == 0.0,
        "{share}"
    );
    // The split that is asked about is not the one that is asked.
    let train = [
        "--split",
        "train",
        "--metric",
        "cosine",
        "--k",
        "1",
        "--limit",
        "40",
        "--layer",
        "encoder.0",
    ];
    let found = json(&strata(at, &[&ask[..], &train].concat()));
    assert_eq!(
        (&found["split"], &found["images"]),
        (&"train".into(), &40.into())
    );
    assert_eq!(
        (&found["knn"]["train_images"], &found["knn"]["images"]),
        (&40.into(), &40.into())
    );
    assert!(found["layer"].as_str().unwrap().starts_with("encoder.0 "));
    let own = json(&strata(at, &[&ask[..], &["--image", "near.png"]].concat()));
    assert_eq!((&own["image"], &own["class"]), (&().into(), &().into()));
    for (args, part) in [
        (
            &["--index", "64"][..],
            "there is no image 64: the split has 64, counted from 0",
        ),
        (&["--metric", "l1"], "the metrics are euclidean, cosine"),
        (
            &["--by", "pca"],
            "--by is for embedding; leave it out for neighbours",
        ),
        (&["--layer", "encoder.9"], "there is no layer `encoder.9`"),
    ] {
        let refused = strata(at, &[&["inspect", "run", "neighbours"][..], args].concat());
        assert_ne!(code(&refused), 0);
        assert!(err(&refused).contains(part), "{}", err(&refused));
    }
}

#[test]
fn maps_are_in_the_terminal_and_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    for by in ["pca", "tsne", "umap"] {
        let ask = ["inspect", "run", "embedding", "--json", "--by", by];
        let more = ["--numbers", "map.npy", "-o", "map.svg"];
        let map = json(&strata(at, &[&ask[..], &more].concat()));
        let again = json(&strata(at, &[&ask[..], &["-o", "again.png"]].concat()));
        assert_eq!(map["points"], again["points"], "{by}");
        assert_eq!(map["points"].as_array().map(Vec::len), Some(64));
        assert_eq!((&map["by"], &map["images"]), (&by.into(), &64.into()));
        assert!(
            map["trustworthiness"].as_f64().unwrap() > 0.6,
            "{}",
            map["trustworthiness"]
        );
        let explained = map["explained"].as_array().unwrap();
        assert_eq!(explained.is_empty(), by != "pca");
        assert_eq!(map["kl"].is_number(), by == "tsne");
        let npy = std::fs::read(at.join("map.npy")).unwrap();
        assert!(String::from_utf8_lossy(&npy[..128]).contains("(64, 2,)"));
        assert!(
            std::fs::read_to_string(at.join("map.svg"))
                .unwrap()
                .contains("<image")
        );
        assert!(image::open(at.join("again.png")).is_ok());
    }
    let part = ["inspect", "run", "embedding", "--json", "--limit", "20"];
    let images =
        |draw: &str| json(&strata(at, &[&part[..], &["--draw", draw]].concat()))["image"].clone();
    let first = images("0");
    assert_eq!(first.as_array().map(Vec::len), Some(20));
    assert_ne!(first, images("1"), "another draw, other images");
    for (args, part) in [
        (&["--by", "mds"][..], "the ways are pca, tsne, umap"),
        (&["--limit", "3"], "a map needs at least 4 images, not 3"),
        (&["--perplexity", "1"], "write a number from 2 to 200"),
        (&["--image", "again.png"], "at least 4 images, not 1"),
        (&["--layer", "encoder.9"], "there is no layer `encoder.9`"),
    ] {
        let refused = strata(at, &[&["inspect", "run", "embedding"][..], args].concat());
        assert_ne!(code(&refused), 0);
        assert!(err(&refused).contains(part), "{}", err(&refused));
    }
}

/// Pictures of the window in both themes.
fn pictures(window: &mut Window, name: &str) {
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("{name}-{theme}"));
    }
}

fn choose<T: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static>(
    window: &mut Window,
    choice: T,
) {
    window
        .harness
        .state_mut()
        .handle(Action::Choose(Choice::new(choice)));
    window.run();
}

fn neighbours(window: &mut Window, is: impl Fn(&Neighbours) -> bool) -> Neighbours {
    window.wait("the neighbours", |state| {
        let output = state.inspections.output::<Neighbours>();
        output.is_some_and(|found| is(found))
    });
    (**window.state().inspections.output::<Neighbours>().unwrap()).clone()
}

#[test]
fn the_window_shows_neighbours_and_a_click_goes_on_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Neighbours);
    window.run();
    assert!(window.has("No network to compare by yet"));
    window.train();
    let found = neighbours(&mut window, |found| found.accuracy.is_some());
    assert_eq!(
        (found.image, found.of, found.split),
        (Some(0), 64, Split::Test)
    );
    assert!(window.has("Nearest by pixels") && window.has("Nearest by features of "));
    assert!(window.has("5-NN accuracy by features "));
    pictures(&mut window, "neighbours/first");
    let next = &found.by_features[1];
    let label = format!(
        "neighbour 2 by features of {}: image {}",
        strata::spoken::spoken(&found.layer).replace('`', ""),
        next.index + 1
    );
    let label = window.full_label(&label);
    window.click(&label);
    let other = next.index;
    let found = neighbours(&mut window, |found| found.image == Some(other));
    assert_ne!(found.by_features[0].index, other);
    choose(
        &mut window,
        NeighbourChoice {
            compared: Compared {
                split: Some(Split::Train),
                limit: Some(200),
                ..Compared::default()
            },
            metric: Metric::Cosine,
            votes: 1,
            ..NeighbourChoice::default()
        },
    );
    let found = neighbours(&mut window, |found| found.metric == Metric::Cosine);
    assert_eq!(
        (found.split, found.accuracy.unwrap().votes),
        (Split::Train, 1)
    );
    window.tab_to("Image of the split");
    window.press(Modifiers::NONE, Key::ArrowUp);
    assert!(window.has("Layer of neighbours"));
}

/// The map that is on the screen: that of the run that has ended, not of one while it trained.
fn map(window: &mut Window, by: By) -> Embedding {
    let name = format!("map of 64 images by {}", by.name());
    window.wait_for(Duration::from_secs(300), "map", |window| window.has(&name));
    (**window.state().inspections.output::<Embedding>().unwrap()).clone()
}

#[test]
fn the_window_shows_a_map_that_is_moved_zoomed_and_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Embedding);
    window.run();
    assert!(window.has("No network to map by yet"));
    window.train();
    let shown = map(&mut window, By::Tsne);
    assert_eq!(shown.points.len(), 64);
    assert!(window.has("class disc, "));
    pictures(&mut window, "map/tsne");
    for by in [By::Pca, By::Umap] {
        let how = How {
            by,
            ..How::default()
        };
        choose(
            &mut window,
            MapChoice {
                how,
                ..MapChoice::default()
            },
        );
        map(&mut window, by);
        pictures(&mut window, &format!("map/{}", by.word()));
    }
    // By keyboard: the map takes the arrows, zooms, and opens the image in its middle.
    window.tab_to("map of 64 images by UMAP");
    window.press(Modifiers::NONE, Key::ArrowRight);
    window.press(Modifiers::NONE, Key::Plus);
    window.press(Modifiers::NONE, Key::Enter);
    window.run();
    let open = window.state().choices.get::<MapChoice>().open;
    assert!(open.is_some());
    assert!(window.has("of the test images"));
    pictures(&mut window, "map/open");
    let class = window.full_label("class disc, ");
    window.click(&class);
    let choice: MapChoice = window.state().choices.get();
    assert_eq!(choice.hidden.len(), 1);
    pictures(&mut window, "map/without-a-class");
    window.click("Show all classes");
    assert!(window.state().choices.get::<MapChoice>().hidden.is_empty());
    window.click("Neighbours");
    let found = neighbours(&mut window, |found| found.image == open);
    assert_eq!(found.split, Split::Test);
    window.show_column(&[ViewKind::Embedding, ViewKind::Neighbours]);
    window.run();
    pictures(&mut window, "map/column");
}
