-- trick: current_query
-- expect: masked
-- unlabelled: masked
-- decode: digits

select current_query(), '4111111111111111'
