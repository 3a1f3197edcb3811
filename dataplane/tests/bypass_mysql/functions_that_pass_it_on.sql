-- trick: functions that pass it on
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select coalesce(null, pan), ifnull(pan, ''), nullif(pan, ''), greatest(pan, '0'), elt(1, pan), if(true, pan, ''), trim(pan), lower(pan), cast(pan as binary) from cards
