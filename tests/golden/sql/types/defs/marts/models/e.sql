select d.flights from {{ ref('daily') }} d join raw.flights f using (origin, dday)
