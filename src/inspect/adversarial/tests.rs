//! The attacks against PyTorch, which made tests/fixtures/adversarial.safetensors.

use super::attack::attack_from;
use super::*;
use crate::attribution::tests::{cases, channels_last, fixture};
use candle_core::Device;

const EPSILONS: [(Norm, f32); 2] = [(Norm::Linf, 0.05), (Norm::L2, 0.6)];

#[test]
fn attacks_give_what_pytorch_gives() {
    let (cases, tensors) = cases();
    let wanted = candle_core::safetensors::load(fixture("adversarial.safetensors"), &Device::Cpu);
    let wanted = wanted.unwrap();
    let mut compared = 0;
    for (name, case) in &cases {
        let (_, mut network) = case.built(name, &tensors);
        let shares = Shares {
            ends: vec![[-3.0, 3.0]],
            size: case.size(),
            whitening: None,
        };
        let images = shares.of_numbers(&channels_last(&tensors[&format!("{name}.x")]));
        let start = channels_last(&wanted[&format!("{name}.start")]);
        for attack in Attack::ALL {
            for (norm, epsilon) in EPSILONS {
                for is_targeted in [false, true] {
                    let how = How {
                        attack,
                        norm,
                        epsilon,
                        is_targeted,
                        transformations: 0,
                        seed: 0,
                    };
                    let classes = match is_targeted {
                        true => vec![0; case.target.len()],
                        false => case.target.clone(),
                    };
                    let mut changes = vec![0.0; images.len()];
                    if attack == Attack::Pgd {
                        changes = start.iter().map(|value| epsilon * value).collect();
                        for change in changes.chunks_exact_mut(shares.len()) {
                            norm.project(change, epsilon);
                        }
                    }
                    let pair = (images.as_slice(), changes);
                    let watch = &mut |_| true;
                    let found = attack_from(&mut network, &shares, pair, &classes, &how, watch);
                    let aim = if is_targeted { ".target" } else { "" };
                    let key = format!("{name}.{}.{}{aim}", attack.word(), norm.word());
                    let wanted = channels_last(&wanted[&key]);
                    for (at, (found, wanted)) in found.unwrap().iter().zip(&wanted).enumerate() {
                        let off = (found - wanted).abs();
                        assert!(
                            off < 1e-4 * epsilon.max(1.0),
                            "{key} {at}: {found} {wanted}"
                        );
                    }
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 36);
}

#[test]
fn no_attack_leaves_its_ball_or_the_range_of_pixels() {
    let (cases, tensors) = cases();
    let case = &cases["residual"];
    let (_, mut network) = case.built("residual", &tensors);
    let shares = Shares {
        ends: vec![[-3.0, 3.0], [-2.5, 2.5], [-3.0, 3.5]],
        size: case.size(),
        whitening: None,
    };
    let images = shares.of_numbers(&channels_last(&tensors["residual.x"]));
    for attack in Attack::ALL {
        for (norm, epsilon) in EPSILONS {
            let how = How {
                attack,
                norm,
                epsilon,
                is_targeted: false,
                transformations: 2,
                seed: 5,
            };
            let made = super::attack(
                &mut network,
                &shares,
                &images,
                &case.target,
                &how,
                &mut |_| true,
            );
            let made = made.unwrap();
            for (made, image) in made.chunks(shares.len()).zip(images.chunks(shares.len())) {
                let change: Vec<f32> = made.iter().zip(image).map(|(new, old)| new - old).collect();
                assert!(
                    norm.length(&change) <= epsilon * 1.0001,
                    "{attack:?} {norm:?}"
                );
                assert!(norm.length(&change) > 0.1 * epsilon);
            }
            let is_outside =
                |(new, old): &(&f32, &f32)| **new < old.min(0.0) || **new > old.max(1.0);
            assert_eq!(made.iter().zip(&images).filter(is_outside).count(), 0);
        }
    }
}

#[test]
fn numbers_and_shares_turn_into_each_other() {
    let shares = Shares {
        ends: vec![[-1.0, 1.0], [0.0, 4.0]],
        size: [1, 2, 2],
        whitening: None,
    };
    let numbers = [-1.0, 4.0, 0.0, 1.0];
    assert_eq!(shares.of_numbers(&numbers), [0.0, 1.0, 0.5, 0.25]);
    assert_eq!(shares.to_numbers(&shares.of_numbers(&numbers)), numbers);
}
