// Plays one job through a verilated macro at full rate: PLAYER JOB RESULTS.
//
// JOB and RESULTS are little-endian files, laid out as compiler/player/job_file.py says: a header of
// int64 numbers, then arrays. A tile's rows are written while the vectors of the tiles before it, in
// other banks, still run; results are taken in the cycle in which they stand. Prints "DONE TOTAL",
// the results so far, about once a second. What is wrong goes to stderr in one line, with status 3.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vmacro.h"
#include "tie_off.h"
#include "verilated.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ports are filled as little-endian words");

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* cause, uint64_t cycle) {
    fprintf(stderr, "cycle %llu: %s\n", static_cast<unsigned long long>(cycle), cause);
    exit(3);
}

// Ports that a macro may lack: set where there is one.
#define OPTIONAL_PORT(port)                                                              \
    template <class M>                                                                   \
    auto set_##port(M& macro, uint32_t value, int) -> decltype(macro.port = value, void()) { \
        macro.port = value;                                                              \
    }                                                                                    \
    template <class M>                                                                   \
    void set_##port(M&, uint32_t, long) {}
OPTIONAL_PORT(x_bank)
OPTIONAL_PORT(x_rows)
OPTIONAL_PORT(w_bank)
OPTIONAL_PORT(w_row)
OPTIONAL_PORT(w_fuse)
OPTIONAL_PORT(w_fill)
OPTIONAL_PORT(r_bank)
OPTIONAL_PORT(r_row)

// Element i of a port's number lies at bit i * bits.
class Fields {
public:
    Fields(size_t bits, size_t elements, size_t port_bytes)
        : bits_(bits), elements_(elements), words_(port_bytes / 8 + elements * bits / 64 + 2) {}

    void pack(const uint16_t* patterns) {
        size_t word = 0, filled = 0;
        uint64_t part = 0;
        for (size_t i = 0; i < elements_; ++i) {
            const uint64_t value = patterns[i];
            part |= value << filled;
            filled += bits_;
            if (filled >= 64) {
                words_[word++] = part;
                filled -= 64;
                part = filled ? value >> (bits_ - filled) : 0;
            }
        }
        if (filled) words_[word] = part;
    }

    // Anything at all, where a payload means nothing: so nothing may depend on it.
    void scramble() {
        size_t left = bits_ * elements_;
        for (size_t word = 0; left; ++word) {
            state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
            const size_t taken = left < 64 ? left : 64;
            words_[word] = taken < 64 ? state_ & ((uint64_t{1} << taken) - 1) : state_;
            left -= taken;
        }
    }

    int64_t signed_at(size_t element) const {
        const size_t place = element * bits_, word = place / 64, shift = place % 64;
        uint64_t value = words_[word] >> shift;
        if (shift + bits_ > 64) value |= words_[word + 1] << (64 - shift);
        const size_t above = 64 - bits_;
        return static_cast<int64_t>(value << above) >> above;
    }

    template <class Port>
    void show(Port& port) const {
        memcpy(&port, words_.data(), sizeof port);
    }

    // Whether all bits above the elements are 0.
    template <class Port>
    bool take(const Port& port) {
        memcpy(words_.data(), &port, sizeof port);
        const size_t used = bits_ * elements_;
        uint64_t above = used % 64 ? words_[used / 64] >> used % 64 : words_[used / 64];
        for (size_t word = used / 64 + 1; word * 8 < sizeof port; ++word) above |= words_[word];
        return !above;
    }

private:
    size_t bits_, elements_;
    std::vector<uint64_t> words_;
    uint64_t state_ = 0x9e3779b97f4a7c15;
};

// In the order of HEADER in compiler/player/job_file.py.
struct Header {
    int64_t magic, tiles, batch, blocks, rows, outputs, input_bits, weight_bits, y_bits, x_bits,
        x_signed, w_signed, fuse, result_bytes, most_idle, behind, drain;
};

constexpr int64_t MAGIC = 0x31594c5043;  // "CPLY1"

class Job {
public:
    explicit Job(const char* path) {
        const int file = open(path, O_RDONLY);
        struct stat state;
        if (file < 0 || fstat(file, &state)) fail("the job cannot be read", 0);
        if (state.st_size < static_cast<off_t>(sizeof(Header))) fail("the job is cut short", 0);
        void* start = mmap(nullptr, state.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (start == MAP_FAILED) fail("the job cannot be read", 0);
        close(file);
        head = static_cast<const Header*>(start);
        if (head->magic != MAGIC) fail("the job is of another player", 0);
        block_of = reinterpret_cast<const int64_t*>(head + 1);
        bank_of = block_of + head->tiles;
        counted = bank_of + head->tiles;
        weights = reinterpret_cast<const uint16_t*>(counted + head->tiles);
        inputs = weights + head->tiles * head->rows * head->outputs;
        const auto* end = inputs + head->blocks * head->batch * head->rows;
        if (reinterpret_cast<const char*>(end) - static_cast<char*>(start) != state.st_size)
            fail("the job is cut short", 0);
    }

    const Header* head;
    const int64_t* block_of;  // of inputs, of each tile
    const int64_t* bank_of;
    const int64_t* counted;    // rows of each tile that count, where inputs are -1 and 1
    const uint16_t* weights;   // patterns (tiles, rows, outputs)
    const uint16_t* inputs;    // patterns (blocks, batch, rows)
};

// Registers begin with any value, so that nothing may depend on one that was never written.
VerilatedContext* scrambled(VerilatedContext& context) {
    context.randReset(2);
    context.randSeed(1);
    return &context;
}

class Player {
public:
    Player(const Job& job, FILE* results)
        : job_(job),
          head_(*job.head),
          results_(results),
          macro_(scrambled(context_)),
          x_(head_.input_bits, head_.rows, sizeof macro_.x_data),
          w_(head_.weight_bits, head_.outputs, sizeof macro_.w_data),
          y_(head_.y_bits, head_.outputs, sizeof macro_.y_data),
          beat_(head_.outputs * head_.result_bytes),
          last_in_bank_(head_.tiles, -1),
          reported_(Clock::now()) {
        std::vector<int64_t> last(64, -1);
        for (int64_t tile = 0; tile < head_.tiles; ++tile) {
            last_in_bank_[tile] = last.at(job.bank_of[tile]);
            last[job.bank_of[tile]] = tile;
        }
    }

    void run() {
        reset();
        const int64_t total = head_.tiles * head_.batch;
        uint64_t idle = 0;
        while (taken_ < total) {
            const bool moved = cycle();
            idle = moved ? 0 : idle + 1;
            if (idle > static_cast<uint64_t>(head_.most_idle))
                fail("the macro neither takes nor delivers", cycles_);
        }
        const uint64_t cycles = cycles_;
        for (int64_t left = head_.drain; left; --left)
            if (cycle()) fail("a result more than there were vectors", cycles_);
        cycles_ = cycles;
    }

    uint64_t cycles() const { return cycles_; }
    uint64_t pass_cycles() const { return pass_cycles_; }

private:
    void reset() {
        tie_off(macro_);
        macro_.rst = 1;
        macro_.x_valid = macro_.w_valid = macro_.r_valid = 0;
        macro_.y_ready = macro_.q_ready = 1;
        set_r_bank(macro_, 0, 0), set_r_row(macro_, 0, 0);
        hide_x(), hide_w();
        for (int edges = 0; edges < 2; ++edges) {
            low();
            if (macro_.x_ready || macro_.w_ready || macro_.y_valid)
                if (edges) fail("a stream moves in a reset", 0);
            high();
        }
        macro_.rst = 0;
    }

    void low() { macro_.clk = 0, macro_.eval(); }
    void high() { macro_.clk = 1, macro_.eval(); }

    // One clock cycle; whether any beat moved.
    bool cycle() {
        offer_row();
        offer_vector();
        low();
        const bool result = macro_.y_valid, vector = macro_.x_valid && macro_.x_ready,
                   row = macro_.w_valid && macro_.w_ready;
        if (result) take_result();
        if (macro_.q_valid) fail("a row is read back that nobody asked for", cycles_);
        high();
        if (vector) {
            accepted_.push_back(cycles_);
            macro_.x_valid = 0;
            if (++vector_ == head_.batch) ++sent_, vector_ = 0;
        }
        if (row) {
            macro_.w_valid = 0;
            if (++row_ == head_.rows) ++written_, row_ = 0;
        }
        ++cycles_;
        return result || vector || row;
    }

    // A tile's rows are offered once the last vector of its bank has been accepted.
    void offer_row() {
        if (macro_.w_valid) return;
        if (written_ == head_.tiles || last_in_bank_[written_] >= sent_) {
            if (!w_hidden_) hide_w();
            return;
        }
        w_.pack(job_.weights + (written_ * head_.rows + row_) * head_.outputs);
        w_.show(macro_.w_data);
        set_w_bank(macro_, job_.bank_of[written_], 0), set_w_row(macro_, row_, 0);
        set_w_fuse(macro_, head_.fuse, 0), set_w_fill(macro_, 1, 0);
        macro_.w_signed = head_.w_signed;
        macro_.w_valid = 1, w_hidden_ = false;
    }

    // A tile's vectors are offered once all its rows have been accepted.
    void offer_vector() {
        if (macro_.x_valid) return;
        if (sent_ >= written_) {
            if (!x_hidden_) hide_x();
            return;
        }
        x_.pack(job_.inputs + (job_.block_of[sent_] * head_.batch + vector_) * head_.rows);
        x_.show(macro_.x_data);
        set_x_bank(macro_, job_.bank_of[sent_], 0), set_x_rows(macro_, job_.counted[sent_], 0);
        macro_.x_bits = head_.x_bits, macro_.x_signed = head_.x_signed;
        macro_.x_valid = 1, x_hidden_ = false;
    }

    void hide_x() {
        x_.scramble(), x_.show(macro_.x_data), x_hidden_ = true;
    }

    void hide_w() {
        w_.scramble(), w_.show(macro_.w_data), w_hidden_ = true;
    }

    void take_result() {
        if (accepted_.empty()) fail("a result that belongs to no vector", cycles_);
        pass_cycles_ += cycles_ - accepted_.front() - head_.behind;
        accepted_.pop_front();
        if (!y_.take(macro_.y_data)) fail("y_data has ones above its results", cycles_);
        for (int64_t output = 0; output < head_.outputs; ++output) {
            const int64_t value = y_.signed_at(output);
            memcpy(&beat_[output * head_.result_bytes], &value, head_.result_bytes);
        }
        if (fwrite(beat_.data(), 1, beat_.size(), results_) != beat_.size())
            fail("the results cannot be written", cycles_);
        ++taken_;
        if (!(taken_ & 15)) report();
    }

    void report() {
        const auto now = Clock::now();
        if (now - reported_ < std::chrono::milliseconds(500)) return;
        reported_ = now;
        printf("%lld %lld\n", static_cast<long long>(taken_),
               static_cast<long long>(head_.tiles * head_.batch));
        fflush(stdout);
    }

    const Job& job_;
    const Header& head_;
    FILE* results_;
    VerilatedContext context_;
    Vmacro macro_;
    Fields x_, w_, y_;
    std::vector<char> beat_;
    std::vector<int64_t> last_in_bank_;  // the tile before, of each tile's bank
    std::deque<uint64_t> accepted_;      // cycles of the vectors on their way
    Clock::time_point reported_;
    int64_t written_ = 0, row_ = 0;      // tiles whose rows are all accepted, rows of the next
    int64_t sent_ = 0, vector_ = 0;      // tiles whose vectors are, vectors of the next
    int64_t taken_ = 0;
    bool x_hidden_ = false, w_hidden_ = false;
    uint64_t cycles_ = 0, pass_cycles_ = 0;
};

}  // namespace

int main(int arguments, char** names) {
    if (arguments != 3) fail("needs JOB and RESULTS", 0);
    const Job job(names[1]);
    FILE* results = fopen(names[2], "wb");
    if (!results) fail("the results cannot be written", 0);
    int64_t counts[2] = {0, 0};
    fwrite(counts, sizeof counts, 1, results);
    auto player = std::make_unique<Player>(job, results);
    player->run();
    counts[0] = player->cycles(), counts[1] = player->pass_cycles();
    if (fseek(results, 0, SEEK_SET) || fwrite(counts, sizeof counts, 1, results) != 1 ||
        fclose(results))
        fail("the results cannot be written", player->cycles());
    return 0;
}
