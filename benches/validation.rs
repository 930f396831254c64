//! Throughput of parsing and of the whole validation, in bytes of XML per second, on generated sets
//! of growing size: the cost must grow with the bytes, not faster.

mod generated;

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use generated::generated_set;
use iefctl::diagnostics::{Source, SourceMap};
use iefctl::validate::{Input, validate};
use iefctl::xml;

fn parse(criterion: &mut Criterion) {
    let set = generated_set(1, 100_000, 2_000);
    let text: Arc<str> = set[0].text.as_str().into();
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new("Base.xml", Arc::clone(&text)));
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("100 KB", |bencher| bencher.iter(|| xml::parse(&text, id)));
    group.finish();
}

fn validation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate");
    group.sample_size(20);
    for policies in [10, 50, 200] {
        let set = generated_set(policies - 2, 60_000, 60_000);
        let bytes: usize = set.iter().map(|policy| policy.text.len()).sum();
        let input = || {
            let mut input = Input {
                tenant_known: true,
                ..Input::default()
            };
            for policy in &set {
                let source = Source::new(policy.name.as_str(), policy.text.as_str());
                let id = input.sources.add(source);
                input.own.push(id);
            }
            input
        };
        let report = validate(input()).report;
        assert!(
            !report.has_errors(),
            "the generated set must be valid: {:?}",
            report.diagnostics.first()
        );
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("policies of 60 KB", policies), |bencher| {
            bencher.iter_batched(input, validate, criterion::BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, parse, validation);
criterion_main!(benches);
