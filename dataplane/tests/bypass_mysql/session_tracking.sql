-- trick: variables that OK packets tell
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set session session_track_system_variables = '*'

set session default_master_connection = (select pan from cards where id = 1)
