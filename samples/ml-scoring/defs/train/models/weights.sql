-- Least squares with two features, in closed form: a model that needs no Python to be trained.
with moments as (
    select avg(visits) as v, avg(age) as a, avg(spend) as s,
        var_pop(visits) as vv, var_pop(age) as aa, covar_pop(visits, age) as va, covar_pop(visits, spend) as vs, covar_pop(age, spend) as as_
    from {{ ref('ml/training') }}
),
slopes as (
    select *, (vs * aa - as_ * va) / (vv * aa - va * va) as visits_weight, (as_ * vv - vs * va) / (vv * aa - va * va) as age_weight from moments
)
select s - visits_weight * v - age_weight * a as intercept, visits_weight as visits, age_weight as age from slopes
