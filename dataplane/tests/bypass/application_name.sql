-- trick: a setting that the server reports
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select set_config('application_name', pan, false) is null from cards where id = 1
