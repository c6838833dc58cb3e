//! How fast products of dense layers are on one thread: figures to look at.

use super::*;
use crate::ops::cpu_time::seconds;

/// Vectors, and the numbers that a layer takes and gives.
const CASES: [DensePass; 8] = [
    dense(512, 784, 512),
    dense(512, 512, 256),
    dense(512, 784, 1024),
    dense(512, 1024, 512),
    dense(256, 784, 512),
    dense(128, 784, 1024),
    dense(128, 2048, 1024),
    dense(32, 784, 2048),
];

const fn dense(batch: usize, inputs: usize, outputs: usize) -> DensePass {
    DensePass {
        batch,
        inputs,
        outputs,
    }
}

#[test]
#[ignore = "prints figures"]
fn passes_by_size() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.build().unwrap().install(|| {
        println!("GFLOP/s on one thread: forward, input, weight");
        for pass in CASES {
            let DensePass {
                batch,
                inputs,
                outputs,
            } = pass;
            let (x, weight) = (vec![0.5f32; batch * inputs], vec![0.1; inputs * outputs]);
            let (mut y, mut dx) = (vec![0.25; batch * outputs], x.clone());
            let mut of_weight = weight.clone();
            let mut scratch = vec![0.0; pass.scratch()];
            let forward = seconds(|| pass.forward(&x, &weight, Finish::NONE, &mut scratch, &mut y));
            let back = seconds(|| pass.input_gradient(&y, &weight, &mut dx));
            let of_weight = seconds(|| pass.weight_gradient(&x, &y, &mut scratch, &mut of_weight));
            let work = 2e-9 * (batch * inputs * outputs) as f64;
            let [forward, back, of_weight] = [forward, back, of_weight].map(|time| work / time);
            println!("{batch:4} {inputs:5}→{outputs:4}  {forward:6.1} {back:6.1} {of_weight:6.1}");
        }
    });
}
