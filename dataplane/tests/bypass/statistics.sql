-- trick: most common values
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

analyze cards

select most_common_vals, histogram_bounds from pg_stats where tablename = 'cards'
