-- trick: a setting that the server reports, backwards
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select set_config('application_name', reverse(pan), false) is null from cards where id = 1
