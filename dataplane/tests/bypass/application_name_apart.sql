-- trick: a setting that the server reports, backwards
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: reversed

select set_config('application_name', reverse(pan), false) is null from cards where id = 1
