use super::*;
use crate::test_bench::Bench;
use candle_core::Device;

const CLASSIFIER: &str = "input = \"1x16x16\"\nencoder = [\"conv 4 k3 p1\", \"bn\", \"relu\", \"maxpool 2\", \"flatten\"]\nhead = [\"dense 10\"]";

/// Without all its filters the network knows nothing of an image: every one gets the same answer.
#[test]
fn a_network_without_filters_gives_one_answer_and_the_run_keeps_its_weights() {
    for encoder in [
        "\"conv 4 k3 p1\", \"bn\", \"relu\"",
        "\"conv 4 k3 p1\", \"sigmoid\"",
    ] {
        let text = format!(
            "input = \"1x16x16\"\nencoder = [{encoder}, \"maxpool 2\", \"flatten\"]\nhead = [\"dense 10\"]"
        );
        let mut bench = Bench::new(&text, "classify");
        let before = bench.network.state().unwrap();
        let request = Request {
            off: vec![0, 1, 2, 3],
            ..Request::default()
        };
        let study = bench.ask::<FilterStudy>(&request).unwrap();
        let [with, without] = &study.examples.answers;
        assert!(
            without
                .windows(2)
                .all(|pair| (pair[0].1 - pair[1].1).abs() < 1e-6),
            "{without:?}"
        );
        assert!(
            with.windows(2).any(|pair| pair[0].1 != pair[1].1),
            "{with:?}"
        );
        // The dense layer's bias alone is left.
        let bias = before.iter().find(|(key, _)| key == "head.0.bias").unwrap();
        let only = taken(&softmax(&bias.1.to_vec1::<f32>().unwrap()));
        assert!((only.1 - without[0].1).abs() < 1e-5 && only.0 == without[0].0);
        for ((key, before), (_, after)) in before.iter().zip(bench.network.state().unwrap()) {
            let [before, after] = [numbers(before).unwrap(), numbers(&after).unwrap()];
            assert_eq!(before, after, "{key}");
        }
    }
}

/// Switching one filter off is the network whose next layer has zeros where it reads that filter.
#[test]
fn one_filter_off_is_the_next_layer_without_it() {
    let mut bench = Bench::new(CLASSIFIER, "classify");
    let request = Request {
        off: vec![2],
        ..Request::default()
    };
    let study = bench.ask::<FilterStudy>(&request).unwrap();
    assert!(study.scores[0].accuracy.is_some() && study.scores[0].mse.is_none());
    for parameter in bench.network.parameters_mut() {
        if parameter.key == "head.0.weight" {
            let mut values = numbers(&parameter.value).unwrap();
            // 10 × (4 channels × 8 × 8): the third channel.
            for row in values.chunks_exact_mut(256) {
                row[128..192].fill(0.0);
            }
            parameter.value =
                Tensor::from_vec(values, parameter.value.dims(), &Device::Cpu).unwrap();
        }
    }
    let cut = bench.ask::<FilterStudy>(&Request::default()).unwrap();
    assert_eq!(cut.scores[0].accuracy, study.scores[1].accuracy);
    for (cut, off) in cut.examples.answers[0]
        .iter()
        .zip(&study.examples.answers[1])
    {
        assert!(
            cut.0 == off.0 && (cut.1 - off.1).abs() < 1e-5,
            "{cut:?} {off:?}"
        );
    }
}

/// Without what it paints from a code's units, the decoder paints its bias.
#[test]
fn a_decoder_without_templates_paints_the_same_everywhere() {
    let text = "input = \"1x16x16\"\nencoder = [\"flatten\", \"dense 5\"]\ndecoder = [\"dense 256\", \"reshape 1x16x16\"]";
    let mut bench = Bench::new(text, "reconstruct");
    let layer = Layer::Decoder;
    let request = Request {
        layer: layer.clone(),
        off: vec![0, 1, 2, 3, 4],
        ..Request::default()
    };
    let study = bench.ask::<FilterStudy>(&request).unwrap();
    let painted = &study.examples.outputs[1];
    assert_eq!(
        study.examples.image(painted, 0),
        study.examples.image(painted, 1)
    );
    assert!(
        study
            .scores
            .iter()
            .all(|score| score.mse.is_some() && score.accuracy.is_none())
    );
    assert!(
        study
            .measures
            .iter()
            .all(|measures| measures.activity.is_some())
    );
    let request = Request {
        layer,
        off: vec![5],
        ..Request::default()
    };
    let refused = bench.ask::<FilterStudy>(&request).unwrap_err().to_string();
    assert!(refused.contains("no filter 6"), "{refused}");
}

#[test]
fn filters_are_sorted_by_what_is_asked() {
    let mut bench = Bench::new(CLASSIFIER, "classify");
    let study = bench.ask::<FilterStudy>(&Request::default()).unwrap();
    let by = |order: Order, key: &dyn Fn(usize) -> f32| {
        let order = study.order(order);
        assert_eq!(order.len(), 4);
        assert!(
            order.windows(2).all(|pair| key(pair[0]) >= key(pair[1])),
            "{order:?}"
        );
    };
    by(Order::Norm, &|index| study.measures[index].norm);
    by(Order::Activity, &|index| {
        study.measures[index].activity.unwrap()
    });
    assert_eq!(study.order(Order::Layer), [0, 1, 2, 3]);
    let mut likeness = study.order(Order::Likeness);
    likeness.sort_unstable();
    assert_eq!(likeness, [0, 1, 2, 3]);
    let channel = study.filters.of_channel(0);
    assert_eq!(channel.values, study.filters.values, "grey has one channel");
}
