"""Planted faults in the command line: statuses, places, numbers, messages, processes, files that are replaced."""

from .fault import Fault

_MAIN = "verify/__main__.py"
_PLACES = "verify/commands/places.py"
_SUPERVISION = "verify/supervision.py"
_FILES = "automata/files.py"
_CENSUS = "verify/census/cluster.py"
_RELEASED = "verify/evidence/released.py"
_SURROUNDINGS = "tests/test_cli_surroundings.py"
_OVERWRITING = f"{_SURROUNDINGS}::test_what_is_read_or_is_a_model_is_not_written_over"
_PROCESSES = "tests/test_cli_processes.py"
_CHECK = "tests/test_check_cli.py"
_REPORT = "tests/test_report.py"
_ENDS = f"{_PROCESSES}::test_an_end_is_an_end_wherever_the_work_is"

FAULTS = [
    # -- statuses and messages
    Fault(
        _MAIN,
        "INTERNAL = 70",
        "INTERNAL = 1",
        f"{_SURROUNDINGS}::test_a_fault_of_the_program_does_not_look_like_a_refutation",
        "a fault of the program is no refutation",
    ),
    Fault(
        _MAIN,
        'return _failed("out of memory, and nothing is decided", EXIT_STATUS[UNDECIDED])',
        'return _failed("out of memory, and nothing is decided", BAD_INPUT)',
        f"{_SURROUNDINGS}::test_out_of_memory_is_undecided",
        "out of memory is neither",
    ),
    Fault(
        _MAIN,
        "    if sys.stderr is not None:  # None is for print another name of standard output\n        try:",
        "    if True:\n        try:",
        f"{_SURROUNDINGS}::test_an_error_is_not_printed_as_an_answer",
        "an error never goes to standard output",
    ),
    Fault(
        _MAIN,
        "        except (OSError, ValueError):\n            _write_no_more(sys.stderr)\n    return status",
        "        except ValueError:\n            _write_no_more(sys.stderr)\n    return status",
        f"{_SURROUNDINGS}::test_the_status_when_nothing_can_be_said",
        "an error that cannot be written keeps its status",
    ),
    Fault(
        _MAIN,
        "            sys.stdout.flush()\n        return status",
        "            pass\n        return status",
        f"{_SURROUNDINGS}::test_an_answer_that_is_lost_at_the_very_end",
        "an answer that is lost is a failure",
    ),
    Fault(
        _MAIN,
        "                leave_if_asked()\n",
        "",
        f"{_PROCESSES}::test_an_end_is_an_end_where_a_library_makes_an_error_of_it",
        "an interrupt of which a library made an error is no fault of the program",
    ),
    Fault(
        _MAIN,
        '    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")\n',
        "",
        f"{_PROCESSES}::test_products_are_made_on_one_thread",
        "a command needs one processor",
    ),
    Fault(
        _SUPERVISION,
        "        except BaseException:\n            # Before",
        "        except KeyboardInterrupt:\n            # Before",
        f"{_PROCESSES}::test_an_end_is_an_end_where_a_library_makes_an_error_of_it",
        "an interrupt of which a library made an error prints no traceback",
    ),
    Fault(
        "verify/verdict.py",
        "for status in (1, 3, 0)",
        "for status in (3, 1, 0)",
        "tests/test_bisimulation.py",
        "a refutation beats what is undecided",
    ),
    Fault(
        "automata/errors.py",
        "if len(line) <= most:",
        "if len(line) <= most * 1000:",
        f"{_SURROUNDINGS}::test_whatever_an_error_says_it_is_one_short_line",
        "an error is short",
    ),
    Fault(
        "automata/errors.py",
        "c if c.isprintable() else",
        "c if True else",
        f"{_SURROUNDINGS}::test_whatever_an_error_says_it_is_one_short_line",
        "an error is printable",
    ),
    Fault(
        "verify/progress.py",
        "        except (OSError, ValueError):",
        "        except ValueError:",
        f"{_SURROUNDINGS}::test_a_progress_that_cannot_be_shown_is_no_failure",
        "a progress that cannot be shown is no failure",
    ),
    # -- numbers and names
    Fault(
        "verify/commands/options.py",
        "text.isascii() and text.isdigit()",
        "text.isdigit()",
        "tests/test_cli.py::test_numbers_are_ascii_digits",
        "digits are ASCII digits",
    ),
    Fault(
        "verify/commands/options.py",
        "if len(text) > MOST_DIGITS:",
        "if len(text) > 100 * MOST_DIGITS:",
        "tests/test_cli.py::test_numbers_of_very_many_digits",
        "numbers have a greatest length",
    ),
    Fault(
        "verify/commands/parser.py",
        '        if token == "--":\n            return\n',
        "",
        "tests/test_cli.py::test_what_follows_two_dashes_is_no_option",
        "what follows -- is no option",
    ),
    # -- nothing that is read is lost
    Fault(
        _PLACES,
        "        if os.path.samefile(first, second):\n            return True\n",
        "",
        _OVERWRITING,
        "a hard link is the same file",
    ),
    Fault(
        _PLACES,
        "os.path.realpath(first) == os.path.realpath(second)",
        "first == second",
        f"{_SURROUNDINGS}::test_report_and_weights_in_one_place",
        "a path is the same by another way",
    ),
    Fault(
        _PLACES,
        "            if _same(path, place):\n",
        "            if False:\n",
        _OVERWRITING,
        "what is read is not written",
    ),
    Fault(
        _PLACES,
        (
            ' or _within(place, path):\n                raise InputError(f"{option} {path}: lies in the same place as '
            "{other} {place}, which"
        ),
        ':\n                raise InputError(f"{option} {path}: lies in the same place as {other} {place}, which',
        _OVERWRITING,
        "what is read does not lie in a folder that is replaced",
    ),
    Fault(
        _PLACES,
        '        _outside_models(path, option, itself=option == "--out")\n',
        "",
        _OVERWRITING,
        "nothing is written into a model",
    ),
    Fault(
        _PLACES,
        'itself=option == "--out"',
        "itself=False",
        _OVERWRITING,
        "parts of a census are not written into a model",
    ),
    Fault(_PLACES, "list(place.parents)", "list(place.parents)[:1]", _OVERWRITING, "nor deeper in it"),
    Fault(
        _PLACES,
        "if _same(path, place) or _within(path, place) or _within(place, path):",
        "if _same(path, place):",
        _OVERWRITING,
        "two outputs do not lie in one another",
    ),
    # -- files and folders
    Fault(
        _FILES,
        "        if old.exists() and not folder.exists():\n            os.replace(old, folder)\n",
        "",
        f"{_SURROUNDINGS}::test_a_folder_that_cannot_be_replaced_is_as_it_was",
        "the old folder comes back",
    ),
    Fault(
        _FILES,
        "    except BaseException:\n        if old",
        "    except OSError:\n        if old",
        f"{_SURROUNDINGS}::test_a_folder_that_cannot_be_replaced_is_as_it_was",
        "also after an interrupt",
    ),
    Fault(
        _FILES,
        "place = Path(os.path.realpath(folder))",
        "place = Path(folder)",
        f"{_SURROUNDINGS}::test_a_link_to_a_folder_stays_a_link",
        "a link stays a link",
    ),
    Fault(
        _FILES,
        'if limits.exceeded("text", len(data)):',
        'if limits.exceeded("text", len(data) - 1):',
        f"{_SURROUNDINGS}::test_a_text_that_is_too_large",
        "a text has a greatest size",
    ),
    Fault(
        _FILES,
        "set(os.listdir(folder)) <= set(files)",
        "set(os.listdir(folder)) & set(files)",
        f"{_SURROUNDINGS}::test_a_report_over_a_folder_and_weights_over_a_file_or_other_things",
        "a folder with other things is not replaced",
    ),
    Fault(
        _RELEASED,
        "            if symbol not in alphabet:",
        "            if not symbol.strip():",
        f"{_SURROUNDINGS}::test_published_strings_that_cannot_be_used",
        "published strings are over the alphabet",
    ),
    Fault(
        _RELEASED,
        "    if not halves[0]:",
        "    if halves[0] is None:",
        f"{_SURROUNDINGS}::test_published_strings_that_cannot_be_used",
        "no published string is no test",
    ),
    # -- processes
    Fault(
        _CENSUS,
        "min(workers, work, WORKERS_PER_PROCESSOR",
        "min(workers, WORKERS_PER_PROCESSOR",
        f"{_PROCESSES}::test_no_more_processes_than_work_or_than_processors_bear",
        "no more processes than work",
    ),
    Fault(
        _CENSUS,
        "min(workers, work, WORKERS_PER_PROCESSOR * (os.cpu_count() or 1))",
        "min(workers, work)",
        f"{_PROCESSES}::test_the_census_starts_no_more",
        "no more processes than processors bear",
    ),
    Fault(
        _CENSUS,
        "_client(processes(workers, len(missing)), scheduler)",
        "_client(workers, scheduler)",
        f"{_PROCESSES}::test_the_census_starts_no_more",
        "the census asks how many",
    ),
    Fault(
        _SUPERVISION,
        "            os.kill(child, asked)\n",
        "",
        f"{_PROCESSES}::test_what_was_printed_before_an_interrupt_is_not_lost",
        "the child is asked before it is killed",
    ),
    Fault(
        _SUPERVISION,
        "            os.kill(child, signal.SIGKILL)\n            _, status = os.waitpid(child, 0)\n            break",
        "            asked = None",
        _ENDS,
        "a child that does not leave is killed",
    ),
    Fault(
        _SUPERVISION,
        "        end_with(parent)\n",
        "",
        f"{_PROCESSES}::test_a_command_whose_first_process_is_killed_is_gone",
        "the child ends with the parent",
    ),
    Fault(
        _SUPERVISION,
        "return 128 - code",
        "return 1",
        f"{_PROCESSES}::test_work_that_is_killed_is_no_refutation",
        "work that is killed is no refutation",
    ),
    Fault(
        _SUPERVISION,
        " if signal.getsignal(number) != signal.SIG_IGN}",
        "}",
        f"{_PROCESSES}::test_an_ignored_interrupt_stays_ignored",
        "an ignored interrupt stays ignored",
    ),
    Fault(
        "automata/processes.py",
        "    end_with(parent)\n",
        "",
        f"{_PROCESSES}::test_a_worker_ends_with_the_one_it_works_for",
        "workers end with their parent",
    ),
    Fault(
        _CENSUS,
        "        process.kill()\n        process.join()\n",
        "        pass\n",
        f"{_PROCESSES}::test_a_census_that_stops_waits_for_no_part",
        "workers are not waited for",
    ),
    # -- saved folders and their language
    Fault(
        "automata/saved_language.py",
        "    if len(kinds) != 1:",
        "    if not kinds:",
        f"{_CHECK}::test_a_hostile_language_is_one_line",
        "a folder names one language",
    ),
    Fault(
        "automata/saved_language.py",
        "        if entry not in known:",
        "        if False:",
        f"{_CHECK}::test_a_hostile_language_is_one_line",
        "an entry that is not understood is not ignored",
    ),
    Fault(
        "automata/saved_language.py",
        "    if not os.path.isfile(path):",
        "    if False:",
        f"{_CHECK}::test_a_language_that_is_no_file",
        "a pipe is not waited for",
    ),
    Fault(
        "verify/commands/check.py",
        "        if mode not in (None, weights.mode):",
        "        if False:",
        f"{_CHECK}::test_a_hostile_language_is_one_line",
        "the question is that of the model",
    ),
    Fault(
        "verify/commands/inputs.py",
        "        return read_input(args), None,",
        "        return _of(saved_language(folder)[0], '', args), None,",
        f"{_CHECK}::test_another_language_overrides_and_that_is_said",
        "a language in the command overrides",
    ),
    Fault(
        "constructions/ssm/storage.py",
        "        if language:",
        "        if False:",
        f"{_CHECK}::test_a_folder_says_its_language_and_is_checked_without_a_word_more",
        "a saved model carries its language",
    ),
    # -- reports
    Fault(
        "verify/show/report.py",
        "            if not isinstance(value, Command):",
        "            if True:",
        f"{_REPORT}::test_lines_are_as_wide_as_the_terminal_but_for_commands",
        "a command is not wrapped",
    ),
    Fault(
        "verify/show/report.py",
        "self.stream = sys.stderr if json_path == STANDARD_OUTPUT else sys.stdout",
        "self.stream = sys.stdout",
        f"{_REPORT}::test_json_on_standard_output_stands_there_alone",
        "JSON stands alone on standard output",
    ),
    Fault(
        "verify/show/report.py",
        "    if isinstance(value, Integral) and not isinstance(value, bool):",
        "    if False:",
        f"{_REPORT}::test_every_report_is_as_the_schema_says",
        "numbers are numbers",
    ),
    Fault(
        "verify/show/terminal.py",
        'os.environ.get("NO_COLOR") or ',
        "",
        f"{_REPORT}::test_words_of_verdicts_are_coloured_on_a_terminal_only",
        "NO_COLOR asks for none",
    ),
    # -- one road
    Fault(
        "automata/dfa.py",
        "        return self if found == self else found",
        "        return found",
        "tests/test_same_weights.py",
        "the image sets of a language are looked for once",
    ),
    Fault(
        "constructions/mamba/certificate.py",
        "    if known is None or known[0] != proved:",
        "    if known is None:",
        "tests/test_mamba_certificate.py::test_a_certificate_is_kept_for_the_same_arrays_alone",
        "a certificate is about the arrays as they are",
    ),
    Fault(
        "constructions/mamba/certificate.py",
        "    if known is None or known[0] != proved:",
        "    if True:",
        "tests/test_same_weights.py",
        "a Mamba is certified once",
    ),
]
