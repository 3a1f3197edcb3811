-- trick: a sequence
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create or replace sequence counted start with 4111111111111111

select nextval(counted), lastval(counted)
