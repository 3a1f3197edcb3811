-- trick: of aggregates
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select max(pan), min(pan), sum(pan_number), avg(pan_number), bit_or(pan_number), max(pan_number) from cards where id = 1
